/** An exclusive lock on a file that the kernel frees with the process that holds it. */

import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { isErrno } from './files.js';
import { tryLock } from './native.js';

export type Lock =
  | { readonly held: true; readonly [Symbol.dispose]: () => void }
  /** Another process holds it; `holder` is what that one wrote of itself, or empty. */
  | { readonly held: false; readonly holder: string };

/** Takes flock(2)'s lock on a file, made where it is missing, and leaves `holder` in it for others to read. */
export function takeLock(path: string, holder: string): Lock {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  if (!tryLock(fd)) {
    const other = readFileSync(fd, 'utf8');
    closeSync(fd);
    return { held: false, holder: other };
  }
  tell(fd, holder);
  return { held: true, [Symbol.dispose]: () => closeSync(fd) };
}

/** Where there is no room for who holds it, the lock is one all the same. */
function tell(fd: number, holder: string): void {
  ftruncateSync(fd);
  try {
    writeSync(fd, holder, 0);
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
  }
}
