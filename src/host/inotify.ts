/** inotify(7): a watch of what is written to a file, also where root watches as much as it may. */

import { randomInt } from 'node:crypto';
import { geteuid } from 'node:process';
import { isErrno } from './files.js';
import { check, errorName, libc, SystemError } from './libc.js';

const IN_MODIFY = 2;
const IN_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
/** setresuid(2): asm/unistd.h of each architecture. The C library's own would change all threads. */
export const SYS_SETRESUID = { x64: 117, arm64: 147, loong64: 147, riscv64: 147 };
/** Leaves a user as it is. */
const SAME = 0xffffffff;
/** Users that nobody gives to anybody: systemd, docs/UIDS-GIDS.md. */
const UNUSED_FROM = 0x70000000;
const UNUSED_TO = 0x80000000;
const TRIES = 3;

/**
 * A file descriptor that can be read from as soon as anybody has written to a file. The kernel counts instances and watches by the
 * effective user who made the instance, and what is root in a container may use up root's: then it is made as a user that nobody is.
 * @throws EMFILE, ENOSPC where no more may be watched.
 */
export function watchWrites(path: string): number {
  try {
    return watch(path, openInstance());
  } catch (error) {
    if (!isErrno(error, 'EMFILE', 'ENOSPC') || geteuid?.() !== 0) throw error;
    for (let tries = 0; tries < TRIES; tries += 1) {
      try {
        return watch(path, asUser(randomInt(UNUSED_FROM, UNUSED_TO), openInstance));
      } catch {
        // In a user namespace there may be no such user: what went wrong first is told.
      }
    }
    throw error;
  }
}

function openInstance(): number {
  const fd = libc().inotify_init1(IN_NONBLOCK_CLOEXEC);
  check(fd, 'inotify_init1');
  return fd;
}

function watch(path: string, instance: number): number {
  if (libc().inotify_add_watch(instance, path, IN_MODIFY) >= 0) return instance;
  const code = errorName();
  libc().close(instance);
  throw new SystemError(code, 'inotify_add_watch', path);
}

/**
 * Acts with another effective user, on this thread alone, and is root again, whatever comes of it: real and saved user are root all
 * the time, by which the kernel keeps the permitted capabilities, and makes them the effective ones again.
 */
function asUser<T>(user: number, act: () => T): T {
  const number = (SYS_SETRESUID as Partial<Record<string, number>>)[process.arch];
  const { setresuid } = libc();
  if (number === undefined) throw new SystemError('ENOSYS', 'setresuid');
  check(Number(setresuid(number, SAME, user, SAME)), 'setresuid');
  try {
    return act();
  } finally {
    setresuid(number, SAME, 0, SAME);
    // Nothing may be done in another's name; what stands still is thawed by its keepers, and the rest is for recovery.
    if (geteuid?.() !== 0) process.kill(process.pid, 'SIGKILL');
  }
}
