/** A directory and all that it lies in, each known by device and inode: links, mounts and spellings make no difference. */

import { dirname } from 'node:path';
import { type FilesRead, isSystemError } from '../host/files.js';

export type DirectoryId = string & { readonly brand: 'DirectoryId' };

/** What a path leads to; undefined where nothing is there, or the system does not say what: a path may be anything that a config has. */
export function directoryId(files: FilesRead, path: string): DirectoryId | undefined {
  const stat = unlessUnknown(() => files.statTarget(path));
  return stat === undefined ? undefined : (`${stat.device}:${stat.inode}` as DirectoryId);
}

/** What a path leads to, and every directory above that up to the root, with a path of each, the nearest first. */
export function chainOf(files: FilesRead, path: string): Map<DirectoryId, string> {
  const chain = new Map<DirectoryId, string>();
  for (
    let at = unlessUnknown(() => files.realPath(path));
    at !== undefined;
    at = at === '/' ? undefined : dirname(at)
  ) {
    const id = directoryId(files, at);
    if (id !== undefined) chain.set(id, at);
  }
  return chain;
}

/** The same of a path of which the end need not be there, or cannot be looked up: of as much of it as can. */
export function chainOfPresent(files: FilesRead, path: string): Map<DirectoryId, string> {
  for (let at = path; ; at = dirname(at)) {
    if (at === '/' || unlessUnknown(() => files.realPath(at)) !== undefined) return chainOf(files, at);
  }
}

/** undefined for a path that is too long (ENAMETOOLONG), leads into a process (EACCES) or to a server that is gone (ENOTCONN): lxcv could move none of them. */
export function unlessUnknown<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
