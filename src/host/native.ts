/** System calls on files, locks and mounts that Node does not offer, or that take it longer. */

import { constants } from 'node:fs';
import { splitNs } from '../model/timestamp.js';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  belowDescriptor,
  check,
  cPath,
  errorName,
  type HostPath,
  libc,
  SystemError,
  text,
} from './libc.js';

const LOCK_EX_NB = 2 | 4;
const F_OFD_SETLK = 37;
/** struct flock of fcntl(2): F_WRLCK on the whole file. */
const WRITE_LOCK = Buffer.from([1, ...Array(31).fill(0)]);
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
const FICLONE = 0x40049409;
const FICLONERANGE = 0x4020940d;
const SEEK_SET = 0;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
/** fsopen(2) and fsconfig(2): the same numbers on every architecture that Node runs on. */
const SYS_FSOPEN = 430;
const SYS_FSCONFIG = 431;
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const STATX_BYTES = 256;
const STATX_BASIC_STATS = 0x7ff;
const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_FOLLOW = 0x400;
const statxBuffer = Buffer.alloc(STATX_BYTES);
const statxView = new DataView(statxBuffer.buffer, statxBuffer.byteOffset, STATX_BYTES);
const { O_DIRECTORY } = constants;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;

/**
 * struct statx of linux/stat.h of what lies under a path, a symbolic link itself; undefined where nothing is there. The next
 * call writes over it. A path below an open directory is looked up there, and not by way of /proc, which takes as long again.
 */
export function statx(path: HostPath): DataView | undefined {
  const { directory, name } = belowDescriptor(path) ?? { directory: AT_FDCWD, name: path };
  return statxAt(directory, name);
}

/** The same of a name below an open directory, or of any path from AT_FDCWD. */
export function statxAt(directory: number, name: HostPath): DataView | undefined {
  return statxOf(directory, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS);
}

/** The same of what a path leads to, through a symbolic link. */
export function statxTarget(path: HostPath): DataView | undefined {
  return statxOf(AT_FDCWD, path, 0, STATX_BASIC_STATS);
}

/** The same of an open file. */
export function statxOpen(fd: number): DataView {
  return statxOf(fd, '', AT_EMPTY_PATH, STATX_BASIC_STATS) as DataView;
}

/** The same with flags and a mask of one's own. */
export function statxOf(directory: number, name: HostPath, flags: number, mask: number): DataView | undefined {
  const result = libc().statx(directory, cPath(name), flags, mask, statxBuffer);
  if (result === 0) return statxView;
  if (errorName() === 'ENOENT') return undefined;
  throw new SystemError(errorName(), 'statx', text(name));
}

/**
 * open(2), in half the time that Node takes; a path below an open directory is looked up there, as by `statx`. The file descriptor is
 * Node's to close.
 */
export function openPath(path: HostPath, flags: number, mode: number): number {
  const { directory, name } = belowDescriptor(path) ?? { directory: AT_FDCWD, name: path };
  const fd = libc().openat(directory, cPath(name), flags | O_CLOEXEC, mode);
  check(fd, 'open', path);
  return fd;
}

/** Takes flock(2)'s exclusive lock, or returns false where another open file holds it. */
export function tryLock(fd: number): boolean {
  if (libc().flock(fd, LOCK_EX_NB) === 0) return true;
  if (errorName() === 'EAGAIN') return false;
  throw new SystemError(errorName(), 'flock');
}

/** Takes fcntl(2)'s exclusive lock of an open file description, or returns false where another has one. */
export function tryDescriptionLock(fd: number): boolean {
  if (libc().fcntl(fd, F_OFD_SETLK, WRITE_LOCK) === 0) return true;
  if (errorName() === 'EAGAIN' || errorName() === 'EACCES') return false;
  throw new SystemError(errorName(), 'fcntl');
}

/** Swaps what two paths name, atomically. */
export function exchange(a: HostPath, b: HostPath): void {
  check(libc().renameat2(AT_FDCWD, cPath(a), AT_FDCWD, cPath(b), RENAME_EXCHANGE), 'renameat2', a);
}

/** Renames, and fails with EEXIST where the new name is taken. */
export function renameNew(from: HostPath, to: HostPath): void {
  check(libc().renameat2(AT_FDCWD, cPath(from), AT_FDCWD, cPath(to), RENAME_NOREPLACE), 'renameat2', to);
}

/** Gives an open file that bears no name one. Fails with EEXIST where `path` is there. */
export function linkOpen(fd: number, path: string): void {
  check(libc().linkat(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, path, AT_SYMLINK_FOLLOW), 'linkat', path);
}

/** Makes everything written to the file system of an open file durable. */
export function syncFileSystem(fd: number): void {
  check(libc().syncfs(fd), 'syncfs');
}

/** The same, on another thread: it waits for what anybody wrote to that file system. */
export function syncFileSystemAside(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    libc().syncfs.async(fd, (_, result) => {
      // koffi hands over the errno of the thread that made the call.
      if (result < 0) reject(new SystemError(errorName(), 'syncfs'));
      else resolve();
    });
  });
}

/** mknod(2): `mode` carries the type; `device` is the raw dev_t. */
export function makeNode(path: HostPath, mode: number, device: bigint): void {
  check(libc().mknod(cPath(path), mode, device), 'mknod', path);
}

/** Sets access and modification time in nanoseconds since the epoch, on a symbolic link itself too. */
export function setTimes(path: HostPath, atimeNs: bigint, mtimeNs: bigint): void {
  const times = new BigInt64Array(4);
  const atime = splitNs(atimeNs);
  const mtime = splitNs(mtimeNs);
  times[0] = atime.seconds;
  times[1] = atime.nanoseconds;
  times[2] = mtime.seconds;
  times[3] = mtime.nanoseconds;
  check(libc().utimensat(AT_FDCWD, cPath(path), Buffer.from(times.buffer), AT_SYMLINK_NOFOLLOW), 'utimensat', path);
}

/** Shares the blocks of one open file with another; false where the file system cannot. */
export function cloneFile(from: number, to: number): boolean {
  return libc().ioctl(to, FICLONE, from) === 0;
}

/**
 * Shares so many bytes from `offset` on, which are whole blocks, or all up to the end where `bytes` is 0; false where the file system
 * cannot.
 */
export function cloneRange(from: number, to: number, offset: number, bytes: number): boolean {
  const range = Buffer.alloc(32);
  for (const [index, value] of [from, offset, bytes, offset].entries()) range.writeBigInt64LE(BigInt(value), index * 8);
  return libc().ioctlOn(to, FICLONERANGE, range) === 0;
}

/** The next range of data at or after `offset` as [start, end), or undefined where only a hole follows. */
export function nextData(fd: number, offset: number): readonly [number, number] | undefined {
  const start = Number(libc().lseek(fd, offset, SEEK_DATA));
  if (start < 0 && errorName() === 'ENXIO') return undefined;
  check(start < 0 ? -1 : 0, 'lseek');
  const end = Number(libc().lseek(fd, start, SEEK_HOLE));
  check(end < 0 ? -1 : 0, 'lseek');
  return [start, end];
}

/** True where an open file of `size` bytes has a hole. It is read from its start again by whoever is given it. */
export function hasHole(fd: number, size: number): boolean {
  const hole = Number(libc().lseek(fd, 0, SEEK_HOLE));
  check(Number(libc().lseek(fd, 0, SEEK_SET)), 'lseek');
  return hole >= 0 && hole < size;
}

/** Opens a directory to name it by, and no more: `closeDescriptor` closes it. */
export function openPlace(directory: string): number {
  const fd = libc().openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  check(fd, 'open', directory);
  return fd;
}

/** Closes a file descriptor that a function of this module opened. */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}

/**
 * Mounts an overlay read-only, without devices and set-user-id programs: what it holds is a container's, and no business of
 * the host's users. `source` is the name that mountinfo shows; `options` is the string of mount(2), shorter than one page.
 */
export function mountOverlay(source: string, directory: string, options: string): void {
  const flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
  check(libc().mount(cPath(source), cPath(directory), cPath('overlay'), flags, cPath(options)), 'mount', directory);
}

/** Takes the mount on a directory away, and throws EBUSY where anybody uses it. */
export function unmountIdle(directory: string): void {
  check(libc().umount2(cPath(directory), 0), 'umount2', directory);
}

/**
 * Makes the superblock of an overlay that is mounted nowhere, and returns a file descriptor that it lives as long as. A value is at
 * most 255 bytes long; an option without one is a flag. Throws ENOSYS before Linux 5.2.
 */
export function createOverlay(options: Iterable<readonly [key: string, value?: string]>): number {
  const { fsopen, fsconfig, close } = libc();
  const fd = Number(fsopen(SYS_FSOPEN, 'overlay', FSOPEN_CLOEXEC));
  check(fd, 'fsopen');
  try {
    for (const [key, value] of options) {
      const command = value === undefined ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
      check(Number(fsconfig(SYS_FSCONFIG, fd, command, key, value ?? null, 0)), 'fsconfig', key);
    }
    check(Number(fsconfig(SYS_FSCONFIG, fd, FSCONFIG_CMD_CREATE, null, null, 0)), 'fsconfig');
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}
