/** How much room a copy or a merge of layers will take, estimated beforehand: by one stat for each entry, however deep they go. */

import { childPath, type FilesRead } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { type Job, type Recursion, runRecursion } from '../model/job.js';
import { type CopiedInodes, isSame } from './copied-inodes.js';
import { walkLayer } from './delta.js';
import { MergeCursor } from './merge-cursor.js';

/** Room on a file system, as an upper bound. */
export interface SpaceEstimate {
  readonly bytes: number;
  readonly inodes: number;
}

/** A directory that is filled anew in the order of its hashes, as ext4 lists it, has its blocks half full. */
const DIRECTORY_GROWTH = 2;
/** What the list of sources needs for a file besides its name: see layer/copied-inodes.ts. */
const RECORD_BYTES = 48;

/**
 * What a copy of a delta takes at most. Files that are as they were in an earlier copy are linked to that; a copy on a file
 * system that `sharesBlocks` has none of its own for what is in files.
 */
export function* estimateCopy(
  files: FilesRead,
  delta: string,
  earlier: CopiedInodes,
  sharesBlocks: boolean,
): Job<SpaceEstimate> {
  let bytes = 0;
  let inodes = 0;
  const linked = new Set<bigint>();
  using sources = new MergeCursor(earlier);
  for (const { place, stat } of runRecursion(walkLayer(files, delta))) {
    yield;
    bytes += place.name.length + RECORD_BYTES;
    if (stat.type === 'file' && isSame(sources.find(place), stat)) continue;
    if (stat.type !== 'directory' && stat.links > 1) {
      if (linked.has(stat.inode)) continue;
      linked.add(stat.inode);
    }
    inodes += 1;
    if (stat.type === 'directory') bytes += stat.allocated * DIRECTORY_GROWTH;
    else if (!sharesBlocks) bytes += stat.allocated;
  }
  return { bytes, inodes };
}

/** What a keyframe of these layers takes at most: directories and whiteouts are made, all else is linked. */
export function* estimateMerge(files: FilesRead, layers: readonly string[]): Job<SpaceEstimate> {
  let bytes = 0;
  let inodes = 0;
  for (const layer of layers) {
    for (const made of runRecursion(madeAnew(files, `${layer}/.`))) {
      yield;
      if (made === undefined) continue;
      inodes += 1;
      bytes += made.allocated * DIRECTORY_GROWTH;
    }
  }
  return { bytes, inodes };
}

/** What of a layer a merge makes anew, and the room that it takes now. Files are only counted by the listings. */
function* madeAnew(files: FilesRead, location: HostPath): Recursion<{ readonly allocated: number } | undefined> {
  using directory = files.openDirectory(location);
  if (directory === undefined) return;
  yield { allocated: files.stat(directory.path)?.allocated ?? 0 };
  for (const [name, type] of files.listTyped(directory.path)) {
    if (type === 'directory') yield madeAnew(files, childPath(directory.path, name));
    else yield type === 'char' ? { allocated: 0 } : undefined;
  }
}
