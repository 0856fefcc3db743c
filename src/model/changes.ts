/** What differs between two trees, path by path. */

import type { BytePath } from './byte-path.js';
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
export function* hasChange(changes: FoundChanges): Job<boolean> {
  for (const change of changes) {
    if (change !== undefined) return true;
    yield;
  }
  return false;
}
