/** Tree-ishes: what has a tree to read, be it a version, what a container holds now, or the base under it. */

import { unlessGone } from '../host/files.js';
import { findPath } from '../layer/find-path.js';
import { findNear } from '../layer/near-path.js';
import { type BytePath, tellPath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { parseRevision, type Revision } from '../model/revision.js';
import type { Version } from '../model/version.js';
import { deltaOf } from '../store/layout.js';
import { reportChangedBases } from './changed-bases.js';
import type { Context } from './context.js';
import { resolveRevision } from './find-revision.js';
import { checkUnedited, layersOfVersion, layersToRead } from './layers.js';
import { type Found, findByName, type Repository } from './lookup.js';
import { retryUntilStable } from './retry-until-stable.js';

/** Where the listings of the deltas in these trees are, or would be once they are sealed, by the path of the delta. */
export function listingsOf(...treeishes: readonly Pick<Treeish, 'repository' | 'version'>[]): Map<string, string> {
  return new Map(
    treeishes.flatMap(({ repository: { layout }, version }) =>
      (version?.chain ?? []).flatMap((layer): [string, string][] => {
        const id = deltaOf(layer);
        return id === undefined ? [] : [[layout.layer(layer), layout.version(id).entries]];
      }),
    ),
  );
}

/** Reports which of the paths that were asked for are in none of the trees. */
export function reportMissing(
  context: Context,
  paths: readonly BytePath[],
  treeishes: readonly Pick<Treeish, 'name' | 'layers'>[],
): void {
  const { files } = context.host;
  for (const path of paths) {
    const isThere = treeishes.some(({ layers }) => {
      using found = findPath(files, layers, path);
      return found !== undefined;
    });
    if (isThere) continue;
    const where = [...new Set(treeishes.map(({ name }) => name))].join(' or ');
    const near = treeishes.map(({ layers }) => unlessGone(undefined, () => findNear(files, layers, path)));
    const meant = near.findLast((each) => each?.meant !== undefined)?.meant;
    const guess = meant === undefined ? '' : `; did you mean ${tellPath(meant)}?`;
    context.report({ kind: 'notice', message: `there is no ${tellPath(path)} in ${where}${guess}` });
  }
}

export interface Treeish {
  /** `work` may change while it is read, where the container runs. */
  readonly kind: 'version' | 'work' | 'base';
  /** What to call it: `mysql@2`, `mysql@WORK`, `mysql@BASE`. */
  readonly name: string;
  readonly repository: Repository;
  /** The layers of its tree, top first; none are an empty tree. */
  readonly layers: readonly string[];
  /** The version that it is, or that the container came from. */
  readonly version: Version | undefined;
  /** The LXC config of that time, whole; undefined for a base. */
  readonly config: Buffer | undefined;
}

/**
 * Finds what a revision names: a version or, with `@WORK`, what the container holds now, or, with `@BASE`, what lies under
 * all versions, outside the store.
 * @throws LxcvError `bad-revision`, `revision-not-found`, `container-edited` and those of `findByName`.
 */
export function findTreeish(context: Context, text: string | Revision): Treeish {
  const revision = typeof text === 'string' ? parseRevision(text) : text;
  const found = findByName(context, revision.name);
  const { start, steps } = revision.point;
  const { kind } = start;
  if (kind !== 'WORK' && kind !== 'BASE') return versionTreeish(context, found, resolveRevision(found, revision));
  if (steps.length > 0) throw stepsFromNowhere(revision);
  return kind === 'WORK' ? workTreeish(context, found, revision) : baseTreeish(context, found, revision);
}

/**
 * Both sides of a comparison, as one reading found them. Layers do not change once they are found, so the comparison need not begin
 * again where another lxcv commits meanwhile.
 */
export function findTreeishes(context: Context, from: string, to: string): Promise<readonly [Treeish, Treeish]> {
  return retryUntilStable(context, (reading) => [findTreeish(reading, from), findTreeish(reading, to)] as const);
}

function versionTreeish(context: Context, { repository }: Found, version: Version): Treeish {
  reportChangedBases(context, version.bases);
  return {
    kind: 'version',
    name: `${repository.name}@${version.number}`,
    repository,
    layers: layersOfVersion(repository.layout, version),
    version,
    config: context.host.files.read(repository.layout.version(version.id).config),
  };
}

function workTreeish(context: Context, { repository, container, head }: Found, { name, text }: Revision): Treeish {
  if (container === undefined) {
    throw new LxcvError(
      'revision-not-found',
      `${text} names nothing: ${name} is no container, so it holds nothing now`,
      'lxcv list shows the containers.',
    );
  }
  checkUnedited(container);
  reportChangedBases(context, container.versioned.working.bases);
  return {
    kind: 'work',
    name: `${name}@WORK`,
    repository,
    layers: layersToRead(context, container.versioned),
    version: head === undefined ? undefined : repository.history.get(head),
    config: container.configBytes,
  };
}

function baseTreeish(context: Context, found: Found, revision: Revision): Treeish {
  const head = resolveRevision(found, { ...revision, point: { start: { kind: 'HEAD' }, steps: [] } });
  reportChangedBases(context, head.bases);
  return {
    kind: 'base',
    name: `${revision.name}@BASE`,
    repository: found.repository,
    layers: head.bases.map((base) => base.path),
    version: undefined,
    config: undefined,
  };
}

function stepsFromNowhere({ text, point, name }: Revision): LxcvError {
  return new LxcvError(
    'bad-revision',
    `${text} names no version: ${point.start.kind} is none, and has no ancestors`,
    `Count from a version: ${name}~1 is the one before HEAD.`,
  );
}
