/** Files and directories of the store, read as what they must be: a FIFO, say, that stands in the place of one is never opened. */

import { type FilesRead, isErrno, type OpenStat, type Stat } from '../host/files.js';
import type { EntryType } from '../model/entry.js';
import { LxcvError } from '../model/errors.js';
import { checkOwned } from './ownership.js';

/**
 * @param listed its type, where its directory was listed: of a file what it is need not be looked at before it is opened.
 * @returns undefined where nothing is there.
 * @throws LxcvError `store-damaged` where it is no regular file, or larger than any record; `unsafe-owner`.
 */
export function readStoreFile(files: FilesRead, path: string, listed?: EntryType): Buffer | undefined {
  const look = (stat: OpenStat) => check(files, path, stat, 'file');
  try {
    if (listed === 'file') return files.readIfPresent(path, undefined, look);
    return isThere(files, path, 'file') ? files.readIfPresent(path) : undefined;
  } catch (error) {
    throw isErrno(error, 'EFBIG') ? tooLarge(path, error) : error;
  }
}

/** The error of a file that is far larger than what lxcv writes there. */
export function tooLarge(path: string, cause?: unknown): LxcvError {
  return new LxcvError(
    'store-damaged',
    `${path} is far larger than what lxcv writes there`,
    'Move it away, and restore it from a backup of the store: lxcv fsck tells what else is wrong.',
    { cause },
  );
}

/** The names in a directory, in no order; none where it is missing. @throws LxcvError `store-damaged` where it is none. */
export function listStoreDirectory(files: FilesRead, path: string): string[] {
  return isThere(files, path, 'directory') ? files.list(path) : [];
}

/** @throws LxcvError `store-damaged` where something else than a file, or a directory, is there; `unsafe-owner` where it is not root's. */
export function isThere(files: FilesRead, path: string, type: 'file' | 'directory'): boolean {
  const stat = files.stat(path);
  if (stat === undefined) return false;
  check(files, path, stat, type);
  return true;
}

function check(files: FilesRead, path: string, stat: OpenStat, type: 'file' | 'directory'): void {
  checkOwned(files, path, stat);
  checkType(path, stat, type);
}

/** @throws LxcvError `store-damaged` where it is of another type. */
export function checkType(path: string, stat: Pick<Stat, 'type'>, type: 'file' | 'directory'): void {
  if (stat.type === type) return;
  throw new LxcvError(
    'store-damaged',
    `${path} is ${describe(stat)}, and must be a ${type}`,
    `Move it away, and restore the ${type} from a backup of the store: lxcv fsck tells what else is wrong.`,
  );
}

/** `a FIFO`, say. */
export function describe({ type }: Pick<Stat, 'type'>): string {
  const names = {
    file: 'a file',
    directory: 'a directory',
    symlink: 'a symbolic link',
    fifo: 'a FIFO',
    socket: 'a socket',
  };
  return type === 'char' || type === 'block' ? 'a device' : names[type];
}
