/** What differs between two trees. Layers that both share are not read, so the cost is that of the difference. */

import { type FilesRead, unlessGone } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import type { BytePath } from '../model/byte-path.js';
import type { Change, ChangeKind, NameRange } from '../model/changes.js';
import type { EntryType } from '../model/entry.js';
import { type Recursion, runRecursion } from '../model/job.js';
import { type Place, pathOf, placeIn, ROOT_PLACE } from '../model/place.js';
import type { SealedDigests } from './digest.js';
import { isBookkeeping } from './overlayfs.js';
import { type Lookup, TreeDirectory, type TreeEntry } from './tree.js';
import { ALL, type Wanted, wantedOf } from './wanted.js';

/** A change, with what the two trees hold there: both can be reached until the next is asked for. */
export interface Difference extends Change {
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

export interface DiffOptions {
  /** Only these paths, and what is below them; all without it. */
  readonly paths?: readonly BytePath[] | undefined;
  /** Spares files from being read where both are sealed. */
  readonly sealed?: SealedDigests;
  /** Takes what differs in its metadata for modified, and does not read it; no change is `metadata` then. */
  readonly skipContent?: boolean;
}

/**
 * The changes that make the tree of the layers `before` into that of `after`, both top first; no layers are an empty tree.
 * Parents come before what they hold, names in byte order. Every path below a directory that was added or removed is a change as well.
 * The times of directories do not count: they follow from what happens inside. Yields undefined for an entry that is the same.
 */
export function diffTrees(
  files: FilesRead,
  before: readonly string[],
  after: readonly string[],
  options: DiffOptions = {},
): Generator<Difference | undefined, void> {
  // It lists none.
  return runRecursion(new Comparison(files, options).compareRoots(before, after)) as Generator<
    Difference | undefined,
    void
  >;
}

export interface ListOptions extends DiffOptions {
  /** Tells sizes too. Without, they are 0, and of what only one tree has no more is read than the listings of directories. */
  readonly sizes?: boolean;
}

/** The same, with what only one tree has as its listings have it, some at a time. */
export function listDifferences(
  files: FilesRead,
  before: readonly string[],
  after: readonly string[],
  options: ListOptions = {},
): Generator<Difference | NameRange | undefined, void> {
  return runRecursion(new Comparison(files, options, options.sizes ? 'sizes' : 'names').compareRoots(before, after));
}

/**
 * True where a delta has changed nothing of the layer on which it was made: it is empty, and its root is as that one's. It is known
 * without a look at what lies below.
 */
export function isUntouched(files: FilesRead, delta: string, below: string): boolean {
  const was = attributesOf(files, below);
  const is = attributesOf(files, delta);
  return (
    was !== undefined && is !== undefined && files.list(is.location).length === 0 && hasSameMetadata(files, was, is)
  );
}

function attributesOf(files: FilesRead, layer: string): Attributes | undefined {
  const location = `${layer}/.`;
  const stat = files.stat(location);
  return stat && { type: stat.type, stat, location };
}

/** What the metadata of an entry is read from. */
type Attributes = Pick<TreeEntry, 'type' | 'stat' | 'location'>;

/** The most names of one range: asking for their sizes takes some milliseconds. */
const RANGE_NAMES_MAX = 1024;

type Differences = Recursion<Difference | NameRange | undefined>;

class Comparison {
  constructor(
    private readonly files: FilesRead,
    private readonly options: DiffOptions,
    private readonly listing?: 'names' | 'sizes',
  ) {}

  *compareRoots(before: readonly string[], after: readonly string[]): Differences {
    using a = before.length === 0 ? undefined : TreeDirectory.openRoot(this.files, before);
    using b = after.length === 0 ? undefined : TreeDirectory.openRoot(this.files, after, a);
    const wanted = this.options.paths === undefined ? ALL : wantedOf(this.options.paths);
    if (a !== undefined && b !== undefined && wanted === ALL) {
      const was = a.self();
      const is = b.self();
      const kind = this.compareEntries(ROOT_PLACE, was, is);
      if (kind !== undefined) yield new FoundDifference(ROOT_PLACE, kind, 'directory', 0, was, is);
    }
    yield this.compareDirectories(ROOT_PLACE, wanted, a, b);
  }

  private *compareDirectories(
    parent: Place,
    wanted: Wanted,
    a: TreeDirectory | undefined,
    b: TreeDirectory | undefined,
  ): Differences {
    for (const name of this.listed(parent, wanted, a, b) ?? namesBelow(wanted, a, b)) {
      if (typeof name !== 'string') {
        yield this.listing === 'sizes' ? withSizes(name, a ?? (b as TreeDirectory)) : name;
        continue;
      }
      const place = placeIn(parent, name);
      const inside = wanted === ALL ? ALL : (wanted.get(name) as Wanted);
      const was = a?.lookup(name);
      const is = b?.lookup(name);
      const before = was?.kind === 'entry' ? was.entry : undefined;
      const after = is?.kind === 'entry' ? is.entry : undefined;
      const kind = inside === ALL ? this.kindOf(place, before, after) : undefined;
      yield kind === undefined ? undefined : this.difference(place, kind, before, after);
      if (before?.type === 'directory' || after?.type === 'directory') {
        using below = openChild(a, name, was);
        using above = openChild(b, name, is, below);
        if (below !== undefined || above !== undefined) yield this.compareDirectories(place, inside, below, above);
      }
    }
  }

  /** The names of a directory that only one of the trees has; successive names of one type, whose listing tells all, as ranges. */
  private listed(
    parent: Place,
    wanted: Wanted,
    a: TreeDirectory | undefined,
    b: TreeDirectory | undefined,
  ): Iterable<BytePath | NameRange> | undefined {
    const alone = a === undefined ? b : b === undefined ? a : undefined;
    if (this.listing === undefined || alone === undefined || wanted !== ALL) return undefined;
    const kind = a === undefined ? 'added' : 'removed';
    const all: (BytePath | NameRange)[] = [];
    let range: (NameRange & { readonly names: BytePath[] }) | undefined;
    for (const name of [...alone.names()].sort()) {
      const type = alone.listedType(name);
      if (range !== undefined && type === range.type && range.names.length < RANGE_NAMES_MAX) {
        range.names.push(name);
      } else {
        range = type && { parent, kind, type, names: [name] };
        all.push(range ?? name);
      }
    }
    return all;
  }

  private difference(
    place: Place,
    kind: ChangeKind,
    before: TreeEntry | undefined,
    after: TreeEntry | undefined,
  ): Difference {
    const shown = (after ?? before) as TreeEntry;
    const size = shown.type === 'file' && this.listing !== 'names' ? unlessGone(0, () => shown.stat.size) : 0;
    return new FoundDifference(place, kind, shown.type, size, before, after);
  }

  private kindOf(place: Place, before: TreeEntry | undefined, after: TreeEntry | undefined): ChangeKind | undefined {
    if (after === undefined) return before === undefined ? undefined : 'removed';
    return before === undefined ? 'added' : unlessGone('modified', () => this.compareEntries(place, before, after));
  }

  private compareEntries(place: Place, a: TreeEntry, b: TreeEntry): 'modified' | 'metadata' | undefined {
    if (a.stat.inode === b.stat.inode && a.stat.device === b.stat.device) return undefined;
    if (this.options.skipContent && !hasSameMetadata(this.files, a, b)) return 'modified';
    if (!this.hasSameContent(place, a, b)) return 'modified';
    return hasSameMetadata(this.files, a, b) ? undefined : 'metadata';
  }

  private hasSameContent(place: Place, a: TreeEntry, b: TreeEntry): boolean {
    if (a.type !== b.type) return false;
    switch (a.type) {
      case 'file':
        return a.stat.size === b.stat.size && this.hasSameBytes(place, a, b);
      case 'symlink':
        return this.files.readLink(a.location).equals(this.files.readLink(b.location));
      case 'char':
      case 'block':
        return a.stat.rawDevice === b.stat.rawDevice;
      case 'directory':
      case 'fifo':
      case 'socket':
        return true;
    }
  }

  private hasSameBytes(place: Place, a: TreeEntry, b: TreeEntry): boolean {
    const known = this.options.sealed?.compare(a.layer, b.layer, place, a.stat.size);
    return known ?? this.files.sameContent(a.location, b.location);
  }
}

class FoundDifference implements Difference {
  constructor(
    readonly place: Place,
    readonly kind: ChangeKind,
    readonly type: EntryType,
    readonly size: number,
    readonly before: TreeEntry | undefined,
    readonly after: TreeEntry | undefined,
  ) {}

  get path(): BytePath {
    return pathOf(this.place);
  }
}

/** The names that may differ: what only one of the trees has layers for; on the way to wanted paths, those alone. */
function namesBelow(wanted: Wanted, a: TreeDirectory | undefined, b: TreeDirectory | undefined): BytePath[] {
  const shared = countShared(a?.layers ?? [], b?.layers ?? []);
  if (shared > 0 && shared === a?.layers.length && shared === b?.layers.length) return [];
  if (wanted !== ALL) return [...wanted.keys()].sort();
  const own = ownNames(a, shared);
  const others = ownNames(b, shared);
  const all = a === undefined || b === undefined ? [...own, ...others] : [...new Set([...own, ...others])];
  return all.sort();
}

/** @param directory that the names are in. */
function withSizes(range: NameRange, directory: TreeDirectory): NameRange {
  if (range.type !== 'file') return range;
  return { ...range, sizes: range.names.map((name) => unlessGone(0, () => directory.entry(name)?.stat.size ?? 0)) };
}

function hasSameMetadata(files: FilesRead, a: Attributes, b: Attributes): boolean {
  return (
    a.stat.mode === b.stat.mode &&
    a.stat.uid === b.stat.uid &&
    a.stat.gid === b.stat.gid &&
    (a.type === 'directory' || a.stat.mtimeNs === b.stat.mtimeNs) &&
    hasSameXattrs(files, a.location, b.location)
  );
}

function hasSameXattrs(files: FilesRead, a: HostPath, b: HostPath): boolean {
  const names = files.xattrNames(a).filter((name) => !isBookkeeping(name));
  const others = files.xattrNames(b).filter((name) => !isBookkeeping(name));
  if (names.length !== others.length) return false;
  return names.every((name) => {
    const value = files.xattr(a, name);
    const other = files.xattr(b, name);
    return value !== undefined && other !== undefined && value.equals(other);
  });
}

function openChild(
  directory: TreeDirectory | undefined,
  name: BytePath,
  found: Lookup | undefined,
  beside?: TreeDirectory,
): TreeDirectory | undefined {
  if (found?.kind !== 'entry' || found.layers.length === 0) return undefined;
  return directory?.openChild(name, found.layers, beside);
}

/** How many layers the two lists have in common at their ends. */
function countShared(a: readonly string[], b: readonly string[]): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a.at(-1 - shared) === b.at(-1 - shared)) shared += 1;
  return shared;
}

function ownNames(directory: TreeDirectory | undefined, shared: number): Iterable<BytePath> {
  return directory === undefined ? [] : directory.names(directory.layers.length - shared);
}
