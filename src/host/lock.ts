/** An exclusive lock on a file that the kernel frees with the process that holds it. */

import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
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
  ftruncateSync(fd);
  writeSync(fd, holder, 0);
  return { held: true, [Symbol.dispose]: () => closeSync(fd) };
}
