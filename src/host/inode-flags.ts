/** The flags of inodes that chattr(1) sets, by its letters: linux/fs.h. Extended attributes they are not. */

import { closeSync, constants, openSync } from 'node:fs';
import { belowDescriptor, check, errorName, type HostPath, libc } from './libc.js';
import { copyProject, stopInheriting as stopInheritingAt } from './projects.js';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;

/** Those that can only be set as long as a file is empty, or that say how its bytes are to be kept: copy-on-write, compression. */
const BEFORE_BYTES = { C: 0x800000, c: 0x4, m: 0x400 };
/** Those that a copy can have as well. P says that what is made in a directory is of its project. */
const AFTER_BYTES = {
  s: 0x1,
  u: 0x2,
  S: 0x8,
  d: 0x40,
  A: 0x80,
  j: 0x4000,
  t: 0x8000,
  D: 0x10000,
  T: 0x20000,
  x: 0x2000000,
  P: 0x20000000,
};
/** Those that lxcv could not write to, link or remove, or that stand for a key or a tree of digests that it does not have. */
const NOT_COPIED = { i: 0x10, a: 0x20, E: 0x800, V: 0x100000, F: 0x40000000 };

const EARLY = bitsOf(BEFORE_BYTES);
const COPIED = EARLY | bitsOf(AFTER_BYTES);
const MEANT = COPIED | bitsOf(NOT_COPIED);
const LETTERS = Object.entries({ ...BEFORE_BYTES, ...AFTER_BYTES, ...NOT_COPIED });

/** Flags of an open file or directory; none where the file system knows none. */
export function readFlags(fd: number): number {
  const flags = Buffer.alloc(8);
  if (libc().ioctlOn(fd, FS_IOC_GETFLAGS, flags) === 0) return flags.readUInt32LE();
  const code = errorName();
  if (code !== 'ENOTTY' && code !== 'ENOTSUP' && code !== 'EINVAL' && code !== 'ENOSYS') check(-1, 'ioctl');
  return 0;
}

/** Gives an empty file what must be there before its bytes. What the file system does not take is found by `finishFlags`. */
export function startFlags(fd: number, wanted: number): void {
  const present = readFlags(fd);
  if ((present & EARLY) !== (wanted & EARLY)) writeFlags(fd, (present & ~EARLY) | (wanted & EARLY));
}

/** True where a file that holds something has all that must be there before its bytes. */
export function isStarted(fd: number, wanted: number): boolean {
  return (readFlags(fd) & EARLY) === (wanted & EARLY);
}

/** Gives a file or directory all other flags of its original. @returns the letters of those that it cannot have. */
export function finishFlags(fd: number, wanted: number): string {
  const present = readFlags(fd);
  if ((present & MEANT) === (wanted & MEANT)) return '';
  writeFlags(fd, (present & ~COPIED) | (wanted & COPIED));
  const missing = wanted & MEANT & ~readFlags(fd);
  return missing === 0 ? '' : lettersOf(missing);
}

/** Gives a directory the flags of another. @returns the letters of those that it cannot have. */
export function copyFlags(from: HostPath, to: HostPath): string {
  return withDirectory(from, (source) => withDirectory(to, (target) => finishFlags(target, readFlags(source))));
}

/** See `Files`. */
export function copyDirectoryProject(from: HostPath, to: HostPath): void {
  withDirectory(from, (source) => withDirectory(to, (target) => copyProject(source, target)));
}

/** See `Files`. */
export function stopInheriting(path: HostPath): boolean {
  return withDirectory(path, stopInheritingAt);
}

function writeFlags(fd: number, flags: number): void {
  const argument = Buffer.alloc(8);
  argument.writeUInt32LE(flags >>> 0);
  if (libc().ioctlOn(fd, FS_IOC_SETFLAGS, argument) === 0) return;
  const code = errorName();
  if (code === 'EIO' || code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS') check(-1, 'ioctl');
}

/** An open directory, as `Files` names it, is used as it is. */
function withDirectory<T>(path: HostPath, use: (fd: number) => T): T {
  const below = belowDescriptor(path);
  if (below?.name === '.') return use(below.directory);
  const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function lettersOf(flags: number): string {
  return LETTERS.filter(([, bit]) => flags & bit)
    .map(([letter]) => letter)
    .join('');
}

function bitsOf(flags: Readonly<Record<string, number>>): number {
  return Object.values(flags).reduce((bits, bit) => bits | bit, 0);
}
