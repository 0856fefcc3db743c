/** How much room a copy or a merge of layers will take, told beforehand: by a stat an entry, however deep they go. */

import { childPath, type Directory, type FilesRead, type Stat, unlessGone } from '../host/files.js';
import { type BytePath, joinPath, ROOT } from '../model/byte-path.js';
import type { Source } from './live-copy.js';

/** Room on a file system, as an upper bound. */
export interface Extent {
  readonly bytes: number;
  readonly inodes: number;
}

/** A directory that is filled anew in the order of its hashes, as ext4 lists it, has its blocks half full. */
const DIRECTORY_GROWTH = 2;
/** What the list of sources needs for a file besides its path: see layer/sources.ts. */
const RECORD_BYTES = 48;

/**
 * What a copy of a delta takes at most. Files that are as they were in an earlier copy are linked to that; a copy on a file
 * system that `sharesBlocks` has none of its own for what is in files.
 */
export function extentOfCopy(
  files: FilesRead,
  delta: string,
  earlier: ReadonlyMap<BytePath, Source> | undefined,
  sharesBlocks: boolean,
): Extent {
  let [bytes, inodes] = [0, 0];
  const linked = new Set<bigint>();
  for (const { path, stat } of walk(files, delta)) {
    bytes += path.length + RECORD_BYTES;
    if (stat.type === 'file' && isSame(earlier?.get(path), stat)) continue;
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
export function extentOfMerge(files: FilesRead, layers: readonly string[]): Extent {
  let [bytes, inodes] = [0, 0];
  for (const layer of layers) {
    for (const { stat } of walk(files, layer)) {
      if (stat.type === 'directory') bytes += stat.allocated * DIRECTORY_GROWTH;
      if (stat.type === 'directory' || stat.type === 'char') inodes += 1;
    }
  }
  return { bytes, inodes };
}

/** A directory that is open, and those in it that are still to be entered. */
interface Level {
  readonly path: BytePath;
  readonly directory: Directory;
  readonly pending: BytePath[];
}

/** Every path of a layer with what it is; what goes away meanwhile is left out, and so is what is in it. */
function* walk(files: FilesRead, layer: string): Generator<{ readonly path: BytePath; readonly stat: Stat }> {
  const open: Level[] = [];
  try {
    yield* enter(files, open, files.openDirectory(layer), ROOT);
    for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
      const name = level.pending.pop();
      if (name === undefined) open.pop()?.directory[Symbol.dispose]();
      else {
        const directory = files.openDirectory(childPath(level.directory.path, name));
        yield* enter(files, open, directory, joinPath(level.path, name));
      }
    }
  } finally {
    for (const { directory } of open) directory[Symbol.dispose]();
  }
}

/** The directory itself and all that is in it but directories, which are left pending. */
function* enter(
  files: FilesRead,
  open: Level[],
  directory: Directory | undefined,
  path: BytePath,
): Generator<{ readonly path: BytePath; readonly stat: Stat }> {
  if (directory === undefined) return;
  const pending: BytePath[] = [];
  open.push({ path, directory, pending });
  yield { path, stat: files.stat(directory.path) as Stat };
  for (const name of unlessGone([], () => files.list(directory.path))) {
    const stat = files.stat(childPath(directory.path, name));
    if (stat?.type === 'directory') pending.push(name);
    else if (stat !== undefined) yield { path: joinPath(path, name), stat };
  }
}

function isSame(source: Source | undefined, stat: Stat): boolean {
  return source !== undefined && source.inode === stat.inode && source.ctimeNs === stat.ctimeNs;
}
