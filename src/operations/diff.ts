/** diff: what differs between two versions, or a version and what a container holds now. */

import { type FilesRead, unlessGone } from '../host/files.js';
import { type Difference, type DiffOptions, diffTrees, listDifferences } from '../layer/diff.js';
import { SealedDigests } from '../layer/digest.js';
import { findMoves } from '../layer/moves.js';
import { isBookkeeping } from '../layer/overlayfs.js';
import type { TreeEntry } from '../layer/tree.js';
import { type BytePath, compactPath } from '../model/byte-path.js';
import { ChangeList, isListed, type ListedChanges } from '../model/changes.js';
import type { BatchJob, Job } from '../model/job.js';
import { parseLxcConfig } from '../model/lxc-config.js';
import { type ConfigChanges, diffConfigs } from '../model/lxc-config-diff.js';
import type { PackageChanges } from '../model/packages.js';
import { parseRevision } from '../model/revision.js';
import { findOperand, listingsOf, type Operand } from './operand.js';
import { comparePackages } from './packages.js';
import { runJob } from './run-job.js';
import { type Attributes, type Sides, type ToldChange, ToldChanges } from './told-changes.js';
import type { World } from './world.js';

export interface DiffRequest {
  /** `NAME[@REV]`, `NAME@WORK` or `NAME@BASE`. */
  readonly from: string;
  /** The same; what the container of `from` holds now where it is left out. */
  readonly to?: string;
  /** Only these, and what is below them. */
  readonly paths?: readonly BytePath[];
  /** Tells modes, owners, times and extended attributes of both sides too. */
  readonly attributes?: boolean;
  /** Tells sizes too; without, they are 0. */
  readonly sizes?: boolean;
  /** Tells too which packages came, went or changed. */
  readonly packages?: boolean;
}

export interface Diff {
  readonly from: Operand;
  readonly to: Operand;
  readonly changes: ChangeList<ToldChange>;
  /** Of the LXC config; none where one side is a base. */
  readonly config: ConfigChanges;
  /** Of each package manager that has a database on one of the sides, where that was asked for. */
  readonly packages?: readonly PackageChanges[];
}

/** @throws LxcvError those of `findOperand`. */
export async function diff(world: World, request: DiffRequest): Promise<Diff> {
  const { from, to, paths, attributes, sizes } = request;
  const [before, after] = [findOperand(world, from), findOperand(world, to ?? `${parseRevision(from).name}@WORK`)];
  const changes = await tellChanges(world, before.layers, after.layers, {
    what: `comparing ${before.name} with ${after.name}`,
    listings: listingsOf(before, after),
    ...(paths === undefined || paths.length === 0 ? {} : { paths }),
    ...(attributes ? { attributes } : {}),
    withoutSizes: !sizes,
  });
  const configs = before.config !== undefined && after.config !== undefined;
  return {
    from: before,
    to: after,
    changes,
    config: configs
      ? diffConfigs(parseLxcConfig(before.config as Buffer), parseLxcConfig(after.config as Buffer))
      : { removed: [], added: [] },
    ...(request.packages ? { packages: await comparePackages(world, before, after) } : {}),
  };
}

export interface TellOptions extends Pick<DiffRequest, 'paths' | 'attributes'> {
  /** Leaves `size` and `sizeBefore` 0 where files only came or only went, for then none was moved: many new files are told in half the time. */
  readonly withoutSizes?: boolean;
  /** For those who watch: in the gerund. */
  readonly what: string;
  /** Of the deltas among the layers: see `listingsOf`. */
  readonly listings: ReadonlyMap<string, string>;
}

/** What the layers `after` change in the layers `before`, moves found, and says which versions had to be read for want of a seal. */
export async function tellChanges(
  world: World,
  before: readonly string[],
  after: readonly string[],
  { what, listings, paths, attributes = false, withoutSizes = false }: TellOptions,
): Promise<ChangeList<ToldChange>> {
  const { files } = world.host;
  const unsealed = new Set<string>();
  // One for each walk, for they go in step with it.
  const openDigests = () => new SealedDigests(files, listings, unsealed);
  const look = async <Told>(collect: (options: DiffOptions) => BatchJob<Told>) => {
    using sealed = openDigests();
    return await runJob(world, what, collect({ sealed, ...(paths === undefined ? {} : { paths }) }));
  };
  const walk = attributes ? diffTrees : listDifferences;
  const unsized = withoutSizes
    ? await look((options) => collectUnsized(files, walk(files, before, after, options), attributes))
    : undefined;
  const findMoved = async (changes: readonly ToldChange[]) => {
    using known = openDigests();
    using knownAfter = openDigests();
    const moves = findMoves(files, { layers: before, sealed: known }, { layers: after, sealed: knownAfter }, changes);
    return withMoves(changes, await runJob(world, 'looking for what was moved', moves));
  };
  const parts =
    unsized ??
    (await findMoved(
      await look((options) => collectSized(files, diffTrees(files, before, after, options), attributes)),
    ));
  if (unsealed.size > 0) {
    const message = `${unsealed.size} of the versions are not sealed yet: their files were read`;
    world.report({ kind: 'notice', message });
  }
  return new ChangeList(parts);
}

/** @returns undefined where sizes turn out to be needed: of files that came one may be one that went. */
function* collectUnsized(
  files: FilesRead,
  differences: Iterable<Difference | ListedChanges | undefined>,
  attributes: boolean,
): BatchJob<(ToldChange | ListedChanges)[] | undefined> {
  const parts: (ToldChange | ListedChanges)[] = [];
  const told = new ToldChanges();
  const filesThat = { added: false, modified: false, removed: false, metadata: false };
  for (const part of differences) {
    if (part?.type === 'file') filesThat[part.kind] = true;
    if (filesThat.added && filesThat.removed) return undefined;
    if (part !== undefined) {
      if (isListed(part)) parts.push(part);
      else parts.push(told.make(compactPath(part.path), part, sidesOf(files, part, attributes)));
    }
    yield part !== undefined && isListed(part) ? part.names.length : undefined;
  }
  return parts;
}

function* collectSized(
  files: FilesRead,
  differences: Iterable<Difference | undefined>,
  attributes: boolean,
): Job<ToldChange[]> {
  const changes: ToldChange[] = [];
  const told = new ToldChanges();
  for (const difference of differences) {
    if (difference !== undefined) {
      const { size, before } = difference;
      const sides = sidesOf(files, difference, attributes);
      changes.push(told.make(compactPath(difference.path), difference, sides, { size, sizeBefore: sizeOf(before) }));
    }
    yield;
  }
  return changes;
}

const NO_SIDES: Sides = {};

function sizeOf(entry: TreeEntry | undefined): number {
  return entry?.type === 'file' ? unlessGone(0, () => entry.stat.size) : 0;
}

function sidesOf(files: FilesRead, { before, after }: Difference, attributes: boolean): Sides {
  if (!attributes) return NO_SIDES;
  return unlessGone(NO_SIDES, () => ({
    before: before && attributesOf(files, before),
    after: after && attributesOf(files, after),
  }));
}

/** One for all that have none: there may be a million. */
const NO_XATTRS: Attributes['xattrs'] = new Map();

function attributesOf(files: FilesRead, { stat, location }: TreeEntry): Attributes {
  const { mode, uid, gid, mtimeNs } = stat;
  const names = files.xattrNames(location).filter((name) => !isBookkeeping(name));
  const xattrs =
    names.length === 0
      ? NO_XATTRS
      : new Map(names.sort().map((name) => [name, files.xattr(location, name) ?? Buffer.alloc(0)]));
  return { mode, uid, gid, mtimeNs, xattrs };
}

function withMoves(changes: readonly ToldChange[], moves: ReadonlyMap<BytePath, BytePath>): readonly ToldChange[] {
  if (moves.size === 0) return changes;
  const back = new Map([...moves].map(([path, old]) => [old, path]));
  return changes.map((change) => {
    const movedFrom = change.kind === 'added' ? moves.get(change.path) : undefined;
    const movedTo = change.kind === 'removed' ? back.get(change.path) : undefined;
    if (movedFrom === undefined && movedTo === undefined) return change;
    const { path, kind, type, size, sizeBefore, before: was, after } = change;
    const moved = movedFrom === undefined ? { movedTo: movedTo as BytePath } : { movedFrom };
    return { path, kind, type, size, sizeBefore, before: was, after, ...moved };
  });
}
