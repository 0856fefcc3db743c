/** diff: what differs between two versions, or a version and what a container holds now. */

import { type FilesRead, unlessGone } from '../host/files.js';
import { type Difference, diffTrees, listDifferences } from '../layer/diff.js';
import { SealedDigests } from '../layer/digest.js';
import { findMoves, type Move } from '../layer/moves.js';
import { isBookkeeping, nameInside } from '../layer/overlayfs.js';
import type { TreeEntry } from '../layer/tree.js';
import type { BytePath } from '../model/byte-path.js';
import { type Attributes, ChangeList, type ChangeRecord, isNameRange, type NameRange } from '../model/changes.js';
import type { BatchJob } from '../model/job.js';
import { parseLxcConfig } from '../model/lxc-config.js';
import { type ConfigChanges, diffConfigs } from '../model/lxc-config-diff.js';
import type { PackageChanges } from '../model/packages.js';
import { type Place, PlaceMap, placeIn } from '../model/place.js';
import { parseRevision } from '../model/revision.js';
import { ChangeRecords, MovedChange, type Sides } from '../plumbing/change-records.js';
import type { Context } from '../plumbing/context.js';
import { comparePackages } from '../plumbing/packages.js';
import { runJob } from '../plumbing/run-job.js';
import { findTreeishes, listingsOf, type Treeish, tellMissing } from '../plumbing/tree-ish.js';

export interface DiffRequest {
  /** `NAME[@REV]`, `NAME@WORK` or `NAME@BASE`. */
  readonly from: string;
  /** The same; what the container of `from` holds now where it is left out. */
  readonly to?: string | undefined;
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
  readonly from: Treeish;
  readonly to: Treeish;
  readonly changes: ChangeList<ChangeRecord>;
  /** Of the LXC config; none where one side is a base, or paths were asked for. */
  readonly config: ConfigChanges;
  /** Of each package manager that has a database on one of the sides, where that was asked for. */
  readonly packages?: readonly PackageChanges[];
}

/** @throws LxcvError those of `findOperand`. */
export async function diff(context: Context, request: DiffRequest): Promise<Diff> {
  const { from, to, paths, attributes, sizes } = request;
  const [before, after] = await findTreeishes(context, from, to ?? `${parseRevision(from).name}@WORK`);
  const isWhole = paths === undefined || paths.length === 0;
  const changes = await describeChanges(context, before.layers, after.layers, {
    what: `comparing ${before.name} with ${after.name}`,
    listings: listingsOf(before, after),
    ...(isWhole ? {} : { paths }),
    ...(attributes ? { attributes } : {}),
    withoutSizes: !sizes,
  });
  tellMissing(context, paths ?? [], [before, after]);
  const configs = isWhole && before.config !== undefined && after.config !== undefined;
  return {
    from: before,
    to: after,
    changes,
    config: configs
      ? diffConfigs(parseLxcConfig(before.config as Buffer), parseLxcConfig(after.config as Buffer))
      : { removed: [], added: [] },
    ...(request.packages ? { packages: await comparePackages(context, before, after) } : {}),
  };
}

export interface DescribeOptions extends Pick<DiffRequest, 'paths' | 'attributes'> {
  /** Leaves `size` and `sizeBefore` 0 where files only came or only went, for then none was moved: many new files are told in half the time. */
  readonly withoutSizes?: boolean;
  /** For those who watch: in the gerund. */
  readonly what: string;
  /** Of the deltas among the layers: see `listingsOf`. */
  readonly listings: ReadonlyMap<string, string>;
}

/** What the layers `after` change in the layers `before`, moves found, and says which versions had to be read for want of a seal. */
export async function describeChanges(
  context: Context,
  before: readonly string[],
  after: readonly string[],
  { what, listings, paths, attributes = false, withoutSizes = false }: DescribeOptions,
): Promise<ChangeList<ChangeRecord>> {
  const { files } = context.host;
  const unsealed = new Set<string>();
  // One for each walk, for they go in step with it.
  const openDigests = () => new SealedDigests(files, listings, unsealed);
  const find = async (sizes: boolean) => {
    using sealed = openDigests();
    const options = { sealed, ...(paths === undefined ? {} : { paths }) };
    const differences = attributes
      ? diffTrees(files, before, after, options)
      : listDifferences(files, before, after, { ...options, sizes });
    return await runJob(context, what, collect(files, differences, { attributes, sizes }));
  };
  const findMoved = async (parts: readonly Part[]) => {
    using known = openDigests();
    using knownAfter = openDigests();
    const [from, to] = [
      { layers: before, sealed: known },
      { layers: after, sealed: knownAfter },
    ];
    const moves = findMoves(files, from, to, new ChangeList(parts));
    return withMoves(parts, await runJob(context, 'looking for what was moved', moves));
  };
  const unsized = withoutSizes ? await find(false) : undefined;
  const parts = unsized ?? (await findMoved((await find(true)) as Part[]));
  if (unsealed.size > 0) {
    const message = `${unsealed.size} of the versions are not sealed yet: their files were read`;
    context.report({ kind: 'notice', message });
  }
  return new ChangeList(parts);
}

type Part = ChangeRecord | NameRange;

/** @returns undefined where sizes turn out to be needed that were not asked for: of files that came one may be one that went. */
function* collect(
  files: FilesRead,
  differences: Iterable<Difference | NameRange | undefined>,
  { attributes, sizes }: { readonly attributes: boolean; readonly sizes: boolean },
): BatchJob<Part[] | undefined> {
  const parts: Part[] = [];
  const told = new ChangeRecords();
  const filesThat = { added: false, modified: false, removed: false, metadata: false };
  for (const part of differences) {
    if (part?.type === 'file') filesThat[part.kind] = true;
    if (!sizes && filesThat.added && filesThat.removed) return undefined;
    if (part !== undefined && isNameRange(part)) {
      parts.push(part);
      yield part.names.length;
      continue;
    }
    if (part !== undefined) {
      const { place, kind, type, size, before } = part;
      const typeBefore = before === undefined || before.type === type ? undefined : before.type;
      const known = sizes ? { size, sizeBefore: sizeOf(before) } : undefined;
      parts.push(told.make(place, { kind, type, typeBefore }, sidesOf(files, part, attributes), known));
    }
    yield;
  }
  return parts;
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
      : new Map(names.sort().map((name) => [nameInside(name), files.xattr(location, name) ?? Buffer.alloc(0)]));
  return { mode, uid, gid, mtimeNs, xattrs };
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
