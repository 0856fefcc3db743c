/** An exclusive lock on a file that the kernel frees with the process that holds it. */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { isErrno } from './files.js';
import { tryLock } from './native.js';

export type Lock =
  | { readonly held: true; readonly [Symbol.dispose]: () => void }
  /** Another process holds it; `holder` is what that one wrote of itself, or empty. */
  | { readonly held: false; readonly holder: string };

/** How often a lock file may be replaced while it is taken. */
const ATTEMPTS_MAX = 100;
const MODE = 0o600;
/** So much is read of what the holder wrote. */
const HOLDER_BYTES = 1 << 12;

/**
 * Takes flock(2)'s lock on a file, made where it is missing, and leaves `holder` in it for others to read. The lock is on the file
 * that the path names when it is taken: where that was removed or replaced meanwhile, whoever comes next would lock another one.
 */
export function takeLock(path: string, holder: string): Lock {
  for (let attempt = 1; ; attempt += 1) {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, MODE);
    try {
      if (!tryLock(fd)) {
        const other = Buffer.alloc(HOLDER_BYTES);
        const length = readSync(fd, other, 0, HOLDER_BYTES, 0);
        closeSync(fd);
        return { held: false, holder: other.toString('utf8', 0, length) };
      }
      if (isStill(fd, path)) {
        tell(fd, holder);
        return { held: true, [Symbol.dispose]: () => closeSync(fd) };
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    if (attempt === ATTEMPTS_MAX)
      throw Object.assign(new Error(`${path} is replaced all the time`), { code: 'ESTALE' });
  }
}

/** True where the path still names the open file. */
function isStill(fd: number, path: string): boolean {
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const open = fstatSync(fd, { bigint: true });
  return named?.ino === open.ino && named.dev === open.dev;
}

/** Where there is no room for who holds it, the lock is one all the same. */
function tell(fd: number, holder: string): void {
  if ((fstatSync(fd).mode & 0o7777) !== MODE) fchmodSync(fd, MODE);
  ftruncateSync(fd);
  try {
    writeSync(fd, holder, 0);
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
  }
}
