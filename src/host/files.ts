/**
 * The file system as lxcv uses it, synchronous: on Node, synchronous calls are two to three times as fast, and a process
 * that is killed between two of them is all that a crash can be. No call follows a symbolic link in a path's last part.
 */

import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { type BytePath, isAscii } from '../model/byte-path.js';
import type { EntryType } from '../model/entry.js';
import { append, create, type OpenFile, open, openFile, readEnd, readWhole, truncate, withOpen } from './content.js';
import { copyBytes, copyContent, sameContent, updateContent } from './copy-content.js';
import { listTyped } from './directories.js';
import { type FreeSpace, freeSpace, sharesBlocks } from './free-space.js';
import { copyDirectoryProject, copyFlags, stopInheriting } from './inode-flags.js';
import { type HostPath, SystemError, text } from './libc.js';
import { createNameless, type NamelessFile } from './nameless.js';
import { exchange, makeNode, renameNew, setTimes, syncFileSystem, syncFileSystemAside } from './native.js';
import { type Placement, placementOf } from './placement.js';
import { expectLooks, type OpenStat, type Stat, stampsOf, stat, statTarget, statxBelow, TYPE_BITS } from './stat.js';

import { getXattr, listXattrs, removeXattr, setXattr } from './xattrs.js';

export type { OpenStat, Stat } from './stat.js';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** The magic numbers of ext4, xfs and btrfs: linux/magic.h. */
const TICKING_FILE_SYSTEMS = new Set([0xef53, 0x58465342, 0x9123683e]);

/** An open directory. `path` reaches the directory itself, whatever happens to its name; children are found below it. */
export interface Directory extends Disposable {
  readonly path: string;
}

/** Reads: none of these changes anything. Errors are Node's, with `code`; an absent path is a value where it says so. */
export interface FilesRead {
  /** undefined where nothing is there. */
  stat(path: HostPath): Stat | undefined;
  /**
   * Of each file below a directory, in their order, what tells whether it is still what it was: inode, size and both times, always
   * as many characters. undefined where nothing is there.
   */
  stamps(directory: Directory, names: readonly string[]): (string | undefined)[];
  /** Told that so many files are about to be looked at: for hundreds it is worth to load what makes that faster. */
  expectLooks(count: number): void;
  /** Follows a symbolic link in the last part; undefined where nothing is there. */
  statTarget(path: HostPath): Stat | undefined;
  /** @throws EFBIG where there are more bytes than `max`, or than any record or config has. */
  read(path: HostPath, max?: number): Buffer;
  /** The last `bytes` of a file, or all of a shorter one. */
  readEnd(path: HostPath, bytes: number): Buffer;
  /** The same; undefined where nothing is there. `look` is shown what was opened, before anything of it is read. */
  readIfPresent(path: HostPath, max?: number, look?: (stat: OpenStat) => void): Buffer | undefined;
  /** The path without symbolic links, or undefined where nothing is there. */
  realPath(path: string): string | undefined;
  /** Names in a directory, in no order, without `.` and `..`. */
  list(path: HostPath): BytePath[];
  /** The same of a directory itself, each name with its type: as they were listed, for what is behind a name may be another thing by now. */
  listTyped(path: HostPath): ReadonlyMap<BytePath, EntryType>;
  readLink(path: HostPath): Buffer;
  xattrNames(path: HostPath): string[];
  xattr(path: HostPath, name: string): Buffer | undefined;
  /** True where a write through a mapping to a clean page is known to change a file's ctime: not on a tmpfs, say. */
  ticksForMappedWrites(path: string): boolean;
  /** Where a directory lies, as far as that says whether it can be moved; undefined where nothing is there. */
  placement(path: string): Placement | undefined;
  /** What the file system of a directory has left for root; no limit of inodes where it makes them as they are needed. */
  free(directory: string): FreeSpace;
  /** True where copies on the file system of a directory share the blocks of what they are copies of. It is tried. */
  sharesBlocks(directory: string): boolean;
  /** True where two regular files hold the same bytes. */
  sameContent(a: HostPath, b: HostPath): boolean;
  /** Opens a directory that is not a symbolic link; undefined where there is none. */
  openDirectory(path: HostPath): Directory | undefined;
  /** Opens what must be a regular file: never a link, a FIFO or a device. Throws ESTALE for another type, ENOENT for nothing. */
  openFile(path: HostPath): OpenFile;
}

/** Changes: each is one step that a crash can fall before or after. */
interface FilesWrite {
  /** Creates a file that must not exist yet, with these bytes. Its mode, as that of a directory, is that very one, whatever the umask. */
  create(path: HostPath, data: string | Uint8Array, mode: number): void;
  /** Creates a file in a directory that has no name there yet; undefined where the file system has no such files. */
  createNameless(directory: string, mode: number): NamelessFile | undefined;
  /** Appends to a file, creating it with mode 0600 where it is missing. */
  append(path: HostPath, data: string | Uint8Array): void;
  truncate(path: HostPath, size: number): void;
  mkdir(path: HostPath, mode: number): void;
  rmdir(path: HostPath): void;
  unlink(path: HostPath): void;
  rename(from: HostPath, to: HostPath): void;
  /** Fails with EEXIST where `to` is there. */
  renameNew(from: HostPath, to: HostPath): void;
  exchange(a: HostPath, b: HostPath): void;
  link(from: HostPath, to: HostPath): void;
  symlink(target: HostPath, path: HostPath): void;
  /** A device node, FIFO or socket. */
  makeNode(path: HostPath, stat: Pick<Stat, 'type' | 'rawDevice'>): void;
  /** The path must not be a symbolic link. */
  chmod(path: HostPath, mode: number): void;
  chown(path: HostPath, uid: number, gid: number): void;
  setMtime(path: HostPath, mtimeNs: bigint): void;
  setXattr(path: HostPath, name: string, value: Buffer): void;
  removeXattr(path: HostPath, name: string): void;
  /**
   * Creates `to` with the bytes of the regular file `from`, its flags of chattr(1) and its project: reflinked where the file system can,
   * else holes kept. `tick` is called again and again, and ends it where it throws. Returns the letters of the flags that the copy cannot have.
   */
  copyContent(from: HostPath, to: HostPath, tick?: () => void): string;
  /** Creates `to` with the bytes of the regular file `from`, and with nothing else of it. */
  copyBytes(from: HostPath, to: HostPath): void;
  /** As `copyContent`, of a copy that was made before and is dense: only what differs is written. */
  updateContent(from: HostPath, to: HostPath, tick?: () => void): string;
  /** Gives a directory the flags of another. Returns the letters of those that it cannot have. */
  copyFlags(from: HostPath, to: HostPath): string;
  /** Makes a directory one of the project of another, for quotas. */
  copyProject(from: HostPath, to: HostPath): void;
  /** Has a directory hand its project on no more, so that it takes in what is of another. Returns whether it did until now. */
  stopInheriting(path: HostPath): boolean;
  /** Makes a file's bytes, or a directory's entries, durable. */
  sync(path: HostPath): void;
  /** Makes all that was written to the path's file system durable. */
  syncFileSystem(path: HostPath): void;
  /** The same, with the event loop free meanwhile. */
  syncFileSystemAside(path: HostPath): Promise<void>;
}

export interface Files extends FilesRead, FilesWrite {}

/** The machine's own file system. */
export const files: Files = {
  stat: (path) => present(() => stat(path)),
  stamps: ({ path }, names) => {
    const look = statxBelow(path);
    return stampsOf(names, (name) => present(() => look(name)));
  },
  expectLooks,
  statTarget: (path) => present(() => statTarget(path)),
  read: readWhole,
  readEnd,
  readIfPresent: (path, max, look) => present(() => readWhole(path, max, look)),
  realPath: (path) => present(() => realpathSync.native(path)),
  list: (path) => readdirSync(path, { encoding: 'latin1' }) as BytePath[],
  listTyped,
  readLink: (path) => readlinkSync(path, { encoding: 'buffer' }),
  ticksForMappedWrites: (path) => TICKING_FILE_SYSTEMS.has(statfsSync(path).type),
  placement: (path) => present(() => placementOf(path)),
  free: freeSpace,
  sharesBlocks,
  xattrNames: listXattrs,
  xattr: getXattr,
  sameContent,
  openDirectory,
  openFile,

  create,
  createNameless,
  append,
  truncate,
  mkdir: (path, mode) => {
    mkdirSync(path, { mode });
    // The umask took some of that away, or a directory above gave more.
    chmodSync(path, mode);
  },
  rmdir: rmdirSync,
  unlink: unlinkSync,
  rename: renameSync,
  renameNew,
  exchange,
  link: linkSync,
  symlink: symlinkSync,
  makeNode: (path, stat) => makeNode(path, TYPE_BITS[stat.type] | 0o600, stat.rawDevice),
  chmod: chmodSync,
  chown: lchownSync,
  setMtime: (path, mtimeNs) => setTimes(path, mtimeNs, mtimeNs),
  setXattr,
  removeXattr,
  copyBytes,
  copyContent,
  updateContent,
  copyFlags,
  copyProject: copyDirectoryProject,
  stopInheriting,
  sync: (path) => withOpen(path, O_RDONLY | O_NOFOLLOW, fsyncSync),
  syncFileSystem: (path) => withOpen(path, O_RDONLY | O_NOFOLLOW, syncFileSystem),
  async syncFileSystemAside(path) {
    const fd = open(path, O_RDONLY | O_NOFOLLOW);
    try {
      await syncFileSystemAside(fd);
    } finally {
      closeSync(fd);
    }
  },
};

function openDirectory(path: HostPath): Directory | undefined {
  const fd = present(() => open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (fd === undefined) return undefined;
  return { path: `/proc/self/fd/${fd}/.`, [Symbol.dispose]: () => closeSync(fd) };
}

/** The value, or undefined where the path, or a directory on the way to it, is not there. */
function present<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

/** True for an error of the system with one of these codes. */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** True for any error of the system: one with an errno's name for its code. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code));
}

/** The error of the system for a path that is not there. */
export function noEntry(path: HostPath): SystemError {
  return new SystemError('ENOENT', 'open', text(path));
}

/** What a look at something yields, or a fallback where that is gone, or is something else by now: a container may be running. */
export function unlessGone<T>(fallback: T, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return fallback;
    throw error;
  }
}

/** Does something, be it that it fails in one of these ways. */
export function tolerate(codes: readonly string[], act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!isErrno(error, ...codes)) throw error;
  }
}

/** True for an error of what is gone, or is something else by now. */
export function isGone(error: unknown): boolean {
  return isErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE', 'ELOOP', 'EINVAL');
}

/** The path of a child of a directory. It is text where that is possible: Node takes that in a third of the time. */
export function childPath(directory: HostPath, name: BytePath): HostPath {
  if (typeof directory === 'string' && isAscii(name)) return `${directory}/${name}`;
  const parent = typeof directory === 'string' ? Buffer.from(directory, 'utf8') : directory;
  return Buffer.concat([parent, Buffer.from(`/${name}`, 'latin1')]);
}
