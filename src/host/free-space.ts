/** What a file system has room for, and what copies on it take. */

import { closeSync, constants, openSync, statfsSync, writeSync } from 'node:fs';
import { O_TMPFILE } from './nameless.js';
import { cloneFile } from './native.js';

/** A block of most file systems: less than that need not be shared. */
const TRIAL_BYTES = 4096;

/**
 * linux/magic.h. Besides what is reserved for root, it keeps a fiftieth of all blocks from everybody: fs/ext4/super.c. Of those
 * `blocks` leaves out what its own tables take.
 */
const EXT4 = 0xef53;
const EXT4_KEPT_MAX = 4096;

/** Room on a file system. */
export interface FreeSpace {
  readonly bytes: number;
  readonly inodes: number;
}

/** See `Files`. */
export function freeSpace(directory: string): FreeSpace {
  const { type, bsize, blocks, bfree, files, ffree } = statfsSync(directory);
  const kept = type === EXT4 ? Math.min(Math.floor(blocks / 40), EXT4_KEPT_MAX) : 0;
  return { bytes: Math.max(bfree - kept, 0) * bsize, inodes: files === 0 ? Number.POSITIVE_INFINITY : ffree };
}

/** See `Files`. It is tried with two files that have no name, and so leave nothing behind. */
export function sharesBlocks(directory: string): boolean {
  const open: number[] = [];
  try {
    for (const _ of ['source', 'target']) open.push(openSync(directory, O_TMPFILE | constants.O_RDWR, 0o600));
    const [source, target] = open as [number, number];
    writeSync(source, Buffer.alloc(TRIAL_BYTES, 1));
    return cloneFile(source, target);
  } catch {
    return false;
  } finally {
    for (const fd of open) closeSync(fd);
  }
}
