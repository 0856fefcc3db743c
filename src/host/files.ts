/**
 * The file system as lxcv uses it, synchronous: on Node, synchronous calls are two to three times as fast, and a process
 * that is killed between two of them is all that a crash can be. No call follows a symbolic link in a path's last part.
 */

import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { BytePath } from '../model/byte-path.js';
import type { EntryType } from '../model/entry.js';
import {
  cloneFile,
  exchange,
  getXattr,
  type HostPath,
  listXattrs,
  makeNode,
  nextData,
  removeXattr,
  renameNew,
  setTimes,
  setXattr,
  syncFileSystem,
} from './native.js';
import { type Free, free, sharesBlocks } from './room.js';

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY, S_IFMT } = constants;
const COPY_BUFFER_BYTES = 1 << 20;
const O_PATH = 0o10000000;
/** The magic numbers of ext4, xfs and btrfs: linux/magic.h. */
const TICKING_FILE_SYSTEMS = new Set([0xef53, 0x58465342, 0x9123683e]);

/** lstat(2)'s answer: `mode` is the permission bits alone (12 of them), times are nanoseconds since the epoch. */
export interface Stat {
  readonly type: EntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly device: bigint;
  readonly inode: bigint;
  readonly links: number;
  /** The bytes that it occupies on disk. */
  readonly allocated: number;
  /** The raw dev_t of a device node; 0n is overlayfs's whiteout. */
  readonly rawDevice: bigint;
}

/** An open directory. `path` reaches the directory itself, whatever happens to its name; children are found below it. */
export interface Directory extends Disposable {
  readonly path: string;
}

/** An open regular file. */
export interface OpenFile extends Disposable {
  /** For a program that is to read it. */
  readonly descriptor: number;
  /** Bytes when it was opened. */
  readonly size: number;
  /** Fills `buffer` from `position` on, as far as there is something; returns how many bytes there were. */
  read(buffer: Buffer, position: number): number;
}

/** Reads: none of these changes anything. Errors are Node's, with `code`; an absent path is a value where it says so. */
export interface FilesRead {
  /** undefined where nothing is there. */
  stat(path: HostPath): Stat | undefined;
  /** Follows a symbolic link in the last part; undefined where nothing is there. */
  statTarget(path: HostPath): Stat | undefined;
  read(path: HostPath): Buffer;
  /** The last `bytes` of a file, or all of a shorter one. */
  readEnd(path: HostPath, bytes: number): Buffer;
  /** undefined where nothing is there. */
  readIfPresent(path: HostPath): Buffer | undefined;
  /** The path without symbolic links, or undefined where nothing is there. */
  realPath(path: string): string | undefined;
  /** Names in a directory, in no order, without `.` and `..`. */
  list(path: HostPath): BytePath[];
  readLink(path: HostPath): Buffer;
  xattrNames(path: HostPath): string[];
  xattr(path: HostPath, name: string): Buffer | undefined;
  /** True where a write through a mapping to a clean page is known to change a file's ctime: not on a tmpfs, say. */
  ticksForMappedWrites(path: string): boolean;
  /** What the file system of a directory has left for root; no limit of inodes where it makes them as they are needed. */
  free(directory: string): Free;
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
  /** Creates a file that must not exist yet, with these bytes. */
  create(path: HostPath, data: string | Uint8Array, mode: number): void;
  /** Appends to a file, creating it with mode 0600 where it is missing. */
  append(path: HostPath, data: string): void;
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
  /** Creates `to` with the bytes of the regular file `from`: reflinked where the file system can, else holes kept. */
  copyContent(from: HostPath, to: HostPath): void;
  /** Makes a file's bytes, or a directory's entries, durable. */
  sync(path: HostPath): void;
  /** Makes all that was written to the path's file system durable. */
  syncFileSystem(path: HostPath): void;
}

export interface Files extends FilesRead, FilesWrite {}

/** The machine's own file system. */
export const files: Files = {
  stat: (path) => present(() => toStat(lstatSync(path, { bigint: true }))),
  statTarget: (path) => present(() => toStat(statSync(path, { bigint: true }))),
  read: readWhole,
  readEnd,
  readIfPresent: (path) => present(() => readWhole(path)),
  realPath: (path) => present(() => realpathSync(path)),
  list: (path) => readdirSync(path, { encoding: 'latin1' }) as BytePath[],
  readLink: (path) => readlinkSync(path, { encoding: 'buffer' }),
  ticksForMappedWrites: (path) => TICKING_FILE_SYSTEMS.has(statfsSync(path).type),
  free,
  sharesBlocks,
  xattrNames: listXattrs,
  xattr: getXattr,
  sameContent,
  openDirectory,
  openFile,

  create(path, data, mode) {
    const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    writeAllAndClose(fd, data);
  },
  append(path, data) {
    writeAllAndClose(openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600), data);
  },
  truncate(path, size) {
    withOpen(path, O_WRONLY | O_NOFOLLOW, (fd) => ftruncateSync(fd, size));
  },
  mkdir: (path, mode) => mkdirSync(path, { mode }),
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
  copyContent,
  sync: (path) => withOpen(path, O_RDONLY | O_NOFOLLOW, fsyncSync),
  syncFileSystem: (path) => withOpen(path, O_RDONLY | O_NOFOLLOW, syncFileSystem),
};

const TYPE_BITS: Readonly<Record<EntryType, number>> = {
  file: constants.S_IFREG,
  directory: constants.S_IFDIR,
  symlink: constants.S_IFLNK,
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
  char: constants.S_IFCHR,
  block: constants.S_IFBLK,
};
const TYPES = new Map(Object.entries(TYPE_BITS).map(([type, bits]) => [bits, type as EntryType]));

function toStat(s: import('node:fs').BigIntStats): Stat {
  const mode = Number(s.mode);
  const type = TYPES.get(mode & S_IFMT);
  if (type === undefined) throw new Error(`file type ${mode & S_IFMT} is none that Linux has`);
  return {
    type,
    mode: mode & 0o7777,
    uid: Number(s.uid),
    gid: Number(s.gid),
    size: Number(s.size),
    mtimeNs: s.mtimeNs,
    ctimeNs: s.ctimeNs,
    device: s.dev,
    inode: s.ino,
    links: Number(s.nlink),
    allocated: Number(s.blocks) * 512,
    rawDevice: s.rdev,
  };
}

function readWhole(path: HostPath): Buffer {
  return withOpen(path, O_RDONLY | O_NOFOLLOW, (fd) => readFileSync(fd));
}

function readEnd(path: HostPath, bytes: number): Buffer {
  return withOpen(path, O_RDONLY | O_NOFOLLOW, (fd) => {
    const { size } = fstatSync(fd);
    const end = Buffer.alloc(Math.min(size, bytes));
    readSync(fd, end, 0, end.length, size - end.length);
    return end;
  });
}

function openDirectory(path: HostPath): Directory | undefined {
  const fd = present(() => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (fd === undefined) return undefined;
  return { path: `/proc/self/fd/${fd}/.`, [Symbol.dispose]: () => closeSync(fd) };
}

function sameContent(a: HostPath, b: HostPath): boolean {
  return withFile(a, (fdA) =>
    withFile(b, (fdB) => {
      const bufferA = Buffer.allocUnsafe(COPY_BUFFER_BYTES);
      const bufferB = Buffer.allocUnsafe(COPY_BUFFER_BYTES);
      for (let offset = 0; ; offset += COPY_BUFFER_BYTES) {
        offset = Math.max(offset, Math.min(dataFrom(fdA, offset), dataFrom(fdB, offset)));
        const readA = readSync(fdA, bufferA, 0, COPY_BUFFER_BYTES, offset);
        const readB = readSync(fdB, bufferB, 0, COPY_BUFFER_BYTES, offset);
        if (readA !== readB || bufferA.compare(bufferB, 0, readB, 0, readA) !== 0) return false;
        if (readA < COPY_BUFFER_BYTES) return true;
      }
    }),
  );
}

/** The next place at or after `offset` that is no hole, or the end, rounded down to whole buffers. */
function dataFrom(fd: number, offset: number): number {
  const next = nextData(fd, offset)?.[0] ?? fstatSync(fd).size;
  return next - (next % COPY_BUFFER_BYTES);
}

function copyContent(from: HostPath, to: HostPath): void {
  withFile(from, (source) =>
    withOpen(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, (target) => {
      const { size } = fstatSync(source);
      if (size === 0 || cloneFile(source, target)) return;
      const buffer = Buffer.allocUnsafe(Math.min(size, COPY_BUFFER_BYTES));
      for (let range = nextData(source, 0); range !== undefined; range = nextData(source, range[1])) {
        copyRange(source, target, range, buffer);
        if (range[1] >= size) break;
      }
      ftruncateSync(target, size);
    }),
  );
}

function copyRange(source: number, target: number, [start, end]: readonly [number, number], buffer: Buffer): void {
  for (let offset = start; offset < end; ) {
    const read = readSync(source, buffer, 0, Math.min(buffer.length, end - offset), offset);
    if (read === 0) return;
    for (let done = 0; done < read; ) done += writeSync(target, buffer, done, read - done, offset + done);
    offset += read;
  }
}

function writeAllAndClose(fd: number, data: string | Uint8Array): void {
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  } finally {
    closeSync(fd);
  }
}

function openFile(path: HostPath): OpenFile {
  const descriptor = openRegular(path);
  return {
    descriptor,
    size: fstatSync(descriptor).size,
    read(buffer, position) {
      let done = 0;
      while (done < buffer.length) {
        const read = readSync(descriptor, buffer, done, buffer.length - done, position + done);
        if (read === 0) break;
        done += read;
      }
      return done;
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

function withFile<T>(path: HostPath, use: (fd: number) => T): T {
  const fd = openRegular(path);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opens what must be a regular file: a FIFO or a device that took its place is not opened at all. */
function openRegular(path: HostPath): number {
  return withOpen(path, O_PATH | O_NOFOLLOW, (place) => {
    if (!fstatSync(place).isFile()) throw Object.assign(new Error(`not a regular file: ${path}`), { code: 'ESTALE' });
    return openSync(`/proc/self/fd/${place}`, O_RDONLY);
  });
}

function withOpen<T>(path: HostPath, flags: number, use: (fd: number) => T): T {
  const fd = openSync(path, flags, 0o600);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
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

/** What a look at something yields, or a fallback where that is gone, or is something else by now: a container may be running. */
export function unlessGone<T>(fallback: T, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (isGone(error)) return fallback;
    throw error;
  }
}

/** True for an error of what is gone, or is something else by now. */
export function isGone(error: unknown): boolean {
  return isErrno(error, 'ENOENT', 'ENOTDIR', 'ESTALE', 'ELOOP', 'EINVAL');
}

/** The path of a child of a directory. */
export function childPath(directory: string | Buffer, name: BytePath): Buffer {
  const parent = typeof directory === 'string' ? Buffer.from(directory, 'utf8') : directory;
  return Buffer.concat([parent, Buffer.from(`/${name}`, 'latin1')]);
}
