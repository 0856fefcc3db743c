/** What differs between two trees, path by path. */

import { type BytePath, joinPath } from './byte-path.js';
import type { EntryType } from './entry.js';
import type { Job } from './job.js';
import type { ChangeCounts } from './version.js';

/** `metadata`: the same content under another mode, owner, time or extended attribute. */
export type ChangeKind = 'added' | 'modified' | 'removed' | 'metadata';

export interface Change {
  readonly path: BytePath;
  readonly kind: ChangeKind;
  /** What the path is now; for a removed one, what it was. */
  readonly type: EntryType;
  /** Of a regular file, in bytes; 0 for all else. */
  readonly size: number;
}

/** What came or went in one directory, is of one type and no directory: told by a listing alone, as most of many changes can be. */
export interface ListedChanges {
  readonly parent: BytePath;
  readonly kind: 'added' | 'removed';
  readonly type: EntryType;
  /** In byte order, with none between them that is told otherwise. */
  readonly names: readonly BytePath[];
  /** Of each of them, in bytes; without, none is told. */
  readonly sizes?: readonly number[];
}

export function isListed<Other extends object>(part: Other | ListedChanges): part is ListedChanges {
  return 'names' in part;
}

/** One of them. Sizes that are not told are 0. */
export interface ListedChange extends Change {
  readonly sizeBefore: number;
}

/** Changes in the order of a walk. There may be a million, so those of a listing are made as they are asked for. */
export class ChangeList<Told extends object> implements Iterable<Told | ListedChange> {
  constructor(readonly parts: readonly (Told | ListedChanges)[]) {}

  get length(): number {
    return this.parts.reduce((sum, part) => sum + (isListed(part) ? part.names.length : 1), 0);
  }

  *[Symbol.iterator](): Generator<Told | ListedChange> {
    for (const part of this.parts) {
      if (isListed(part)) yield* changesOf(part);
      else yield part;
    }
  }
}

function* changesOf({ parent, kind, type, names, sizes }: ListedChanges): Generator<ListedChange> {
  for (let index = 0; index < names.length; index += 1) {
    const size = sizes?.[index] ?? 0;
    const sizeBefore = kind === 'removed' ? size : 0;
    yield { path: joinPath(parent, names[index] as BytePath), kind, type, size, sizeBefore };
  }
}

/** Changes as they are found; undefined is a place to breathe. */
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
export function* hasChange(changes: Iterable<Change | ListedChanges | undefined>): Job<boolean> {
  for (const change of changes) {
    if (change !== undefined) return true;
    yield;
  }
  return false;
}
