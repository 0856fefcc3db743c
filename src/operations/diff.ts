/** diff: what differs between two versions, or a version and what a container holds now. */

import type { BytePath } from '../model/byte-path.js';
import type { ChangeList, ChangeRecord } from '../model/changes.js';
import { parseLxcConfig } from '../model/lxc-config.js';
import { type ConfigChanges, diffConfigs } from '../model/lxc-config-diff.js';
import type { PackageChanges } from '../model/packages.js';
import { parseRevision } from '../model/revision.js';
import { compareTrees, type Detail } from '../plumbing/compare-trees.js';
import type { Context } from '../plumbing/context.js';
import { comparePackages } from '../plumbing/packages.js';
import { findTreeishes, listingsOf, reportMissing, type Treeish } from '../plumbing/tree-ish.js';

export interface DiffRequest {
  /** `NAME[@REV]`, `NAME@WORK` or `NAME@BASE`. */
  readonly from: string;
  /** The same; what the container of `from` holds now where it is left out. */
  readonly to?: string | undefined;
  /** Only these, and what is below them. */
  readonly paths?: readonly BytePath[] | undefined;
  /** `names` where it is left out. */
  readonly detail?: Detail | undefined;
  /** Compares the packages too. */
  readonly packages?: boolean | undefined;
}

export interface Diff {
  readonly from: Treeish;
  readonly to: Treeish;
  readonly changes: ChangeList<ChangeRecord>;
  /** Of the LXC config; none where one side is a base, or paths were asked for. */
  readonly config: ConfigChanges;
  /** Of each package manager that has a database on one of the sides, where that was asked for. */
  readonly packages: readonly PackageChanges[] | undefined;
}

/** @throws LxcvError those of `findTreeishes`. */
export async function diff(context: Context, request: DiffRequest): Promise<Diff> {
  const { from, to, detail = 'names' } = request;
  const [before, after] = await findTreeishes(context, from, to ?? `${parseRevision(from).name}@WORK`);
  const paths = request.paths?.length === 0 ? undefined : request.paths;
  const changes = await compareTrees(context, before.layers, after.layers, {
    what: `comparing ${before.name} with ${after.name}`,
    listings: listingsOf(before, after),
    paths,
    detail,
  });
  reportMissing(context, paths ?? [], [before, after]);
  return {
    from: before,
    to: after,
    changes,
    config: paths === undefined ? compareConfigs(before, after) : NO_CHANGES,
    packages: request.packages ? await comparePackages(context, before, after) : undefined,
  };
}

const NO_CHANGES: ConfigChanges = { removed: [], added: [] };

function compareConfigs(before: Treeish, after: Treeish): ConfigChanges {
  if (before.config === undefined || after.config === undefined) return NO_CHANGES;
  return diffConfigs(parseLxcConfig(before.config), parseLxcConfig(after.config));
}
