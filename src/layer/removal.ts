/** Removes trees that are lxcv's own: copies, keyframes, and the scratch directories of mounts that are over. */

import { childPath, type Files, unlessGone } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { type Job, type Recursion, runRecursion } from '../model/job.js';

/** Removes a directory with all that is in it; does nothing where there is none. */
export function removeTree(files: Files, path: HostPath): Job<void> {
  return runRecursion(removeDirectory(files, path));
}

/** Removes what a path names, a directory with all that is in it; does nothing where nothing is there. */
export function* removeEntry(files: Files, path: HostPath): Job<void> {
  const stat = files.stat(path);
  if (stat?.type === 'directory') yield* removeTree(files, path);
  else if (stat !== undefined) files.unlink(path);
}

function* removeDirectory(files: Files, path: HostPath): Recursion<undefined> {
  using directory = files.openDirectory(path);
  if (directory === undefined) return;
  for (const name of files.list(directory.path)) {
    const child = childPath(directory.path, name);
    const stat = files.stat(child);
    if (stat?.type === 'directory') yield removeDirectory(files, child);
    else if (stat !== undefined) files.unlink(child);
    yield;
  }
  unlessGone(undefined, () => files.rmdir(path));
}
