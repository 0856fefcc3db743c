/** Compares two trees: what changed from one to the other, and which files were only moved. */

import { type FilesRead, unlessGone } from '../host/files.js';
import { type Difference, diffTrees, listDifferences } from '../layer/diff.js';
import { SealedDigests } from '../layer/digest.js';
import { findMoves, type Move } from '../layer/moves.js';
import { isBookkeeping, nameInside } from '../layer/overlayfs.js';
import type { TreeEntry } from '../layer/tree.js';
import type { BytePath } from '../model/byte-path.js';
import {
  type Attributes,
  type ChangeKind,
  ChangeList,
  type ChangeRecord,
  isNameRange,
  type NameRange,
} from '../model/changes.js';
import type { BatchJob } from '../model/job.js';
import { type Place, PlaceMap, placeIn } from '../model/place.js';
import { ChangeRecords, MovedChange, type Sides } from './change-records.js';
import type { Context } from './context.js';
import { runJob } from './run-job.js';

/**
 * How much a change says. Without `sizes`, `size` and `sizeBefore` are 0 where files were only added or only removed: many new
 * files take half the time. `attributes` has modes, owners, times and extended attributes of both sides.
 */
export type Detail = 'names' | 'sizes' | 'attributes';

export interface CompareOptions {
  readonly detail: Detail;
  /** Only these, and what is below them. */
  readonly paths?: readonly BytePath[] | undefined;
  /** What goes on, for those who watch: in the gerund. */
  readonly what: string;
  /** Of the deltas among the layers: see `listingsOf`. */
  readonly listings: ReadonlyMap<string, string>;
}

/** @param before layers, top first, as those of `after`. Versions that had to be read for want of a seal are reported. */
export async function compareTrees(
  context: Context,
  before: readonly string[],
  after: readonly string[],
  options: CompareOptions,
): Promise<ChangeList<ChangeRecord>> {
  const unsealed = new Set<string>();
  const openDigests = () => new SealedDigests(context.host.files, options.listings, unsealed);
  const parts = await findChanges(context, { ...options, before, after, openDigests });
  if (unsealed.size > 0) {
    const message = `${unsealed.size} of the versions are not sealed yet: their files were read`;
    context.report({ kind: 'notice', message });
  }
  return new ChangeList(parts);
}

interface Comparison extends CompareOptions {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** One for each walk, for they go in step with it. */
  readonly openDigests: () => SealedDigests;
}

type Part = ChangeRecord | NameRange;

/** A file can only have been moved where one was added and one removed. Then sizes are read too, for moved files agree in them. */
async function findChanges(context: Context, comparison: Comparison): Promise<readonly Part[]> {
  if (comparison.detail !== 'sizes') {
    const { parts, mayBeMoved } = await walkUntilMoved(context, comparison);
    if (!mayBeMoved) return parts;
  }
  return await markMoves(context, comparison, await walkSized(context, comparison));
}

/** Without sizes. Ends early where a file may have been moved: `parts` is incomplete then. */
async function walkUntilMoved(
  context: Context,
  comparison: Comparison,
): Promise<{ parts: readonly Part[]; mayBeMoved: boolean }> {
  using sealed = comparison.openDigests();
  const kinds = new Set<ChangeKind>();
  const mayBeMoved = () => kinds.has('added') && kinds.has('removed');
  function* untilMoved(differences: Differences): Differences {
    for (const part of differences) {
      if (part?.type === 'file') kinds.add(part.kind);
      if (mayBeMoved()) return;
      yield part;
    }
  }
  const differences = untilMoved(openDifferences(context, comparison, sealed, false));
  const parts = await runJob(context, comparison.what, collect(context, differences, comparison.detail, false));
  return { parts, mayBeMoved: mayBeMoved() };
}

async function walkSized(context: Context, comparison: Comparison): Promise<readonly Part[]> {
  using sealed = comparison.openDigests();
  const differences = openDifferences(context, comparison, sealed, true);
  return await runJob(context, comparison.what, collect(context, differences, comparison.detail, true));
}

type Differences = Generator<Difference | NameRange | undefined, void>;

function openDifferences(
  { host: { files } }: Context,
  { before, after, detail, paths }: Comparison,
  sealed: SealedDigests,
  sizes: boolean,
): Differences {
  const options = paths === undefined ? { sealed } : { sealed, paths };
  if (detail === 'attributes') return diffTrees(files, before, after, options);
  return listDifferences(files, before, after, { ...options, sizes });
}

function* collect(
  { host: { files } }: Context,
  differences: Differences,
  detail: Detail,
  sizes: boolean,
): BatchJob<readonly Part[]> {
  const parts: Part[] = [];
  const records = new ChangeRecords();
  for (const part of differences) {
    if (part === undefined) {
      yield;
    } else if (isNameRange(part)) {
      parts.push(part);
      yield part.names.length;
    } else {
      const { place, kind, type, size, before } = part;
      const typeBefore = before?.type === type ? undefined : before?.type;
      const sides = detail === 'attributes' ? sidesOf(files, part) : NO_SIDES;
      const known = sizes ? { size, sizeBefore: sizeOf(before) } : undefined;
      parts.push(records.make(place, { kind, type, typeBefore }, sides, known));
      yield;
    }
  }
  return parts;
}

const NO_SIDES: Sides = {};

function sizeOf(entry: TreeEntry | undefined): number {
  return entry?.type === 'file' ? unlessGone(0, () => entry.stat.size) : 0;
}

function sidesOf(files: FilesRead, { before, after }: Difference): Sides {
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
      : new Map(names.sort().map((name) => [nameInside(name), files.xattr(location, name) ?? Buffer.alloc(0)]));
  return { mode, uid, gid, mtimeNs, xattrs };
}

async function markMoves(
  context: Context,
  { before, after, openDigests }: Comparison,
  parts: readonly Part[],
): Promise<readonly Part[]> {
  using sealedBefore = openDigests();
  using sealedAfter = openDigests();
  const from = { layers: before, sealed: sealedBefore };
  const to = { layers: after, sealed: sealedAfter };
  const moves = findMoves(context.host.files, from, to, new ChangeList(parts));
  return withMoves(parts, await runJob(context, 'looking for what was moved', moves));
}

function withMoves(parts: readonly Part[], moves: readonly Move[]): readonly Part[] {
  if (moves.length === 0) return parts;
  const others = { added: new PlaceMap<Place>(), removed: new PlaceMap<Place>() };
  for (const { from, to } of moves) {
    others.added.set(to, from);
    others.removed.set(from, to);
  }
  const otherOf = (kind: Part['kind'], place: Place) =>
    kind === 'added' || kind === 'removed' ? others[kind].get(place) : undefined;
  const move = (change: ChangeRecord): ChangeRecord => {
    const other = otherOf(change.kind, change.place);
    return other === undefined ? change : new MovedChange(change, other);
  };
  return parts.flatMap((part): readonly Part[] => {
    if (!isNameRange(part)) return [move(part)];
    const { parent, kind, names } = part;
    const isMoved = names.some((name) => otherOf(kind, placeIn(parent, name)) !== undefined);
    return isMoved ? [...new ChangeList<ChangeRecord>([part])].map(move) : [part];
  });
}
