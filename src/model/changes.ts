/** What differs between two trees, path by path. */

import { type BytePath, joinPath } from './byte-path.js';
import type { EntryType } from './entry.js';
import type { Job } from './job.js';
import { type Place, pathOf, placeIn } from './place.js';
import type { ChangeCounts } from './version.js';

/** `metadata`: the same content under another mode, owner, time or extended attribute. */
export type ChangeKind = 'added' | 'modified' | 'removed' | 'metadata';

export interface Change {
  readonly place: Place;
  /** That of the place, made each time that it is asked for: a container chooses how long it is, and of how many. */
  readonly path: BytePath;
  readonly kind: ChangeKind;
  /** What the path is now; for a removed one, what it was. */
  readonly type: EntryType;
  /** Of a regular file, in bytes; 0 for all else. */
  readonly size: number;
}

/** A change with what it was before, and with where a file went or came from that was only moved. */
export interface ChangeRecord extends Change {
  /** What a modified path was before, where that is of another type. */
  readonly typeBefore?: EntryType | undefined;
  /** Of the regular file that was there before, in bytes; 0 for all else. */
  readonly sizeBefore: number;
  /** Of a removed file: where it is now. */
  readonly movedTo?: Place | undefined;
  /** Of an added file: where it was. */
  readonly movedFrom?: Place | undefined;
  readonly before?: Attributes | undefined;
  readonly after?: Attributes | undefined;
}

export interface Attributes {
  /** The 12 permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Values by name, a character a byte; without overlayfs's own. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** A run of non-directory names of one type, added to or removed from one directory; known from the listing, without stat. */
export interface NameRange {
  readonly parent: Place;
  readonly kind: 'added' | 'removed';
  readonly type: EntryType;
  /** In byte order, with no other change between them. */
  readonly names: readonly BytePath[];
  /** Of each of them, in bytes; left out where they are not known. */
  readonly sizes?: readonly number[];
}

export function isNameRange<Other extends object>(part: Other | NameRange): part is NameRange {
  return 'names' in part;
}

/** One change of a range. Sizes that are not known are 0. */
export interface ListedChange extends Change {
  readonly sizeBefore: number;
}

/** Changes in the order of a walk. There may be a million, so those of a listing are made as they are asked for. */
export class ChangeList<Told extends object> implements Iterable<Told | ListedChange> {
  constructor(readonly parts: readonly (Told | NameRange)[]) {}

  get length(): number {
    return this.parts.reduce((sum, part) => sum + (isNameRange(part) ? part.names.length : 1), 0);
  }

  *[Symbol.iterator](): Generator<Told | ListedChange> {
    for (const part of this.parts) {
      if (isNameRange(part)) yield* changesOf(part);
      else yield part;
    }
  }
}

function* changesOf(listed: NameRange): Generator<ListedChange> {
  const directory = new NamedDirectory(listed.parent);
  for (let index = 0; index < listed.names.length; index += 1) yield new OneOfListed(listed, directory, index);
}

/** Makes the path of a directory once for all that is in it. */
class NamedDirectory {
  private known: BytePath | undefined;

  constructor(private readonly place: Place) {}

  get path(): BytePath {
    this.known ??= pathOf(this.place);
    return this.known;
  }
}

class OneOfListed implements ListedChange {
  constructor(
    private readonly listed: NameRange,
    private readonly directory: NamedDirectory,
    private readonly index: number,
  ) {}

  get place(): Place {
    return placeIn(this.listed.parent, this.name);
  }

  get path(): BytePath {
    return joinPath(this.directory.path, this.name);
  }

  get kind(): NameRange['kind'] {
    return this.listed.kind;
  }

  get type(): EntryType {
    return this.listed.type;
  }

  get size(): number {
    return this.listed.sizes?.[this.index] ?? 0;
  }

  get sizeBefore(): number {
    return this.kind === 'removed' ? this.size : 0;
  }

  private get name(): BytePath {
    return this.listed.names[this.index] as BytePath;
  }
}

/** Changes as they are found; undefined is a place to yield. */
export type FoundChanges = Iterable<Change | undefined>;

/** Adds changes up, found coarsely: what changed in its metadata alone counts as modified, with its bytes, as it does in a delta. */
export function* countChanges(changes: FoundChanges): Job<ChangeCounts> {
  const counts = { added: 0, modified: 0, removed: 0, bytes: 0 };
  for (const change of changes) {
    if (change !== undefined) {
      counts[change.kind === 'metadata' ? 'modified' : change.kind] += 1;
      if (change.kind !== 'removed') counts.bytes += change.size;
    }
    yield;
  }
  return counts;
}

/** True where there is any change; looks no further than the first. */
export function* hasChange(changes: Iterable<Change | NameRange | undefined>): Job<boolean> {
  for (const change of changes) {
    if (change !== undefined) return true;
    yield;
  }
  return false;
}
