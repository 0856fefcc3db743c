/** The system calls that Node does not offer, through one lazily loaded binding to the C library. */

import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

/** A path of the machine: text, or bytes where it came from inside a root file system. */
export type HostPath = string | Buffer;

const LOCK_EX_NB = 2 | 4;
const F_OFD_SETLK = 37;
/** struct flock of fcntl(2): F_WRLCK on the whole file. */
const WRITE_LOCK = Buffer.from([1, ...Array(31).fill(0)]);
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
const FICLONE = 0x40049409;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const CLONE_NEWNS = 0x20000;
const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MNT_DETACH = 2;
const MS_REC_PRIVATE = 0x4000 | (1 << 18);
const STATX_BYTES = 256;
const STATX_BASIC_STATS = 0x7ff;
const statxBuffer = Buffer.alloc(STATX_BYTES);
const statxView = new DataView(statxBuffer.buffer, statxBuffer.byteOffset, STATX_BYTES);
/** An open directory, or a path below one, as `Files` names them. */
const BELOW_DESCRIPTOR = /^\/proc\/self\/fd\/(\d+)\/\.(?:\/(.+))?$/s;
const O_CLOEXEC = 0o2000000;

/** Their numbers are the same on each architecture: asm-generic/unistd.h. */
const SYS_GETXATTRAT = 464;
const SYS_LISTXATTRAT = 465;
/** The kernel's limit for one value and for one file's list of names. */
const XATTR_MAX = 65536;
/** Enough for nearly all: the kernel takes as much memory as it is offered, which lasts half as long as the call. */
const XATTR_USUAL = 512;
/** Both calls fill this buffer in turn. */
const xattrBuffer = Buffer.allocUnsafeSlow(XATTR_MAX);
/** struct xattr_args of linux/xattr.h: the address of that buffer, its size, flags. */
const xattrArguments = Buffer.alloc(16);

type LibC = ReturnType<typeof bind>;
let bound: LibC | undefined;
/** False once the kernel turned out to be older than Linux 6.13. */
let hasXattrCallsBelow = true;

/** The errno of a failed call as Node's own `fs` would throw it: `code`, `syscall` and `path` set. */
class SystemError extends Error {
  constructor(
    readonly code: string,
    readonly syscall: string,
    readonly path?: string,
  ) {
    super(`${code}: ${syscall}${path === undefined ? '' : ` '${path}'`}`);
  }
}

/** True once the binding is loaded, which takes longer than a few calls of Node's. */
export function isBound(): boolean {
  return bound !== undefined;
}

/**
 * struct statx of linux/stat.h of what lies under a path, a symbolic link itself; undefined where nothing is there. The next
 * call writes over it. A path below an open directory is looked up there, and not by way of /proc, which takes as long again.
 */
export function statx(path: HostPath): DataView | undefined {
  const { directory, name } = belowDescriptor(path) ?? { directory: AT_FDCWD, name: path };
  const result = libc().statx(directory, cPath(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, statxBuffer);
  if (result === 0) return statxView;
  if (errorName() === 'ENOENT') return undefined;
  throw new SystemError(errorName(), 'statx', text(path));
}

/**
 * open(2) of a path below an open directory, in half the time that Node takes, for it is looked up there; undefined for any other
 * path. The file descriptor is Node's to close.
 */
export function openBelow(path: HostPath, flags: number, mode: number): number | undefined {
  const below = belowDescriptor(path);
  if (below === undefined) return undefined;
  const fd = libc().openat(below.directory, below.name, flags | O_CLOEXEC, mode);
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

/** Makes everything written to the file system of an open file durable. */
export function syncFileSystem(fd: number): void {
  check(libc().syncfs(fd), 'syncfs');
}

/** mknod(2): `mode` carries the type; `device` is the raw dev_t. */
export function makeNode(path: HostPath, mode: number, device: bigint): void {
  check(libc().mknod(cPath(path), mode, device), 'mknod', path);
}

/** Sets access and modification time in nanoseconds since the epoch, on a symbolic link itself too. */
export function setTimes(path: HostPath, atimeNs: bigint, mtimeNs: bigint): void {
  const times = new BigInt64Array(4);
  [times[0], times[1]] = secondsAndRest(atimeNs);
  [times[2], times[3]] = secondsAndRest(mtimeNs);
  check(libc().utimensat(AT_FDCWD, cPath(path), Buffer.from(times.buffer), AT_SYMLINK_NOFOLLOW), 'utimensat', path);
}

/**
 * The names of a path's extended attributes, one character a byte: they need not be UTF-8. A symbolic link is not followed.
 * Empty where the file system has none.
 */
export function listXattrs(path: HostPath): string[] {
  const size = enough(readXattrNames(path, XATTR_USUAL), () => readXattrNames(path, XATTR_MAX));
  if (size < 0 && errorName() !== 'ENOTSUP') throw new SystemError(errorName(), 'llistxattr', text(path));
  return size <= 0 ? [] : xattrBuffer.toString('latin1', 0, size - 1).split('\0');
}

/** The value of one extended attribute, or undefined where there is none. A symbolic link is not followed. */
export function getXattr(path: HostPath, name: string): Buffer | undefined {
  const size = enough(readXattr(path, name, XATTR_USUAL), () => readXattr(path, name, XATTR_MAX));
  if (size >= 0) return Buffer.from(xattrBuffer.subarray(0, size));
  if (errorName() === 'ENODATA' || errorName() === 'ENOTSUP') return undefined;
  throw new SystemError(errorName(), 'lgetxattr', text(path));
}

/** Sets one extended attribute; a symbolic link is not followed. */
export function setXattr(path: HostPath, name: string, value: Buffer): void {
  check(libc().lsetxattr(cPath(path), nameBytes(name), value, value.length, 0), 'lsetxattr', path);
}

/** Removes one extended attribute; a symbolic link is not followed. */
export function removeXattr(path: HostPath, name: string): void {
  check(libc().lremovexattr(cPath(path), nameBytes(name)), 'lremovexattr', path);
}

/** Shares the blocks of one open file with another; false where the file system cannot. */
export function cloneFile(from: number, to: number): boolean {
  return libc().ioctl(to, FICLONE, from) === 0;
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

/** Binds an abstract Unix socket and returns its file descriptor, or undefined where the name is taken. */
export function bindAbstractSocket(name: string): number | undefined {
  const fd = libc().socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
  check(fd, 'socket');
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0, 0]), Buffer.from(name, 'latin1')]);
  if (libc().bind(fd, address, address.length) === 0) return fd;
  const code = errorName();
  libc().close(fd);
  if (code === 'EADDRINUSE') return undefined;
  throw new SystemError(code, 'bind', name);
}

/** Closes a file descriptor that a function of this module opened. */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}

/**
 * Moves this process into a mount namespace of its own: what it mounts from now on only it and its children see, and it
 * is gone with them. Node's thread pool stays outside, so synchronous `fs` calls alone see the mounts.
 */
export function leaveMountNamespace(): void {
  check(libc().unshare(CLONE_NEWNS), 'unshare');
  check(libc().mount(cPath('none'), cPath('/'), null, MS_REC_PRIVATE, null), 'mount', '/');
}

/**
 * Mounts an overlay read-only, without devices and set-user-id programs: what it holds is a container's, and no business of
 * the host's users. `source` is the name that mountinfo shows; `options` is the string of mount(2), shorter than one page.
 */
export function mountOverlay(source: string, directory: string, options: string): void {
  const flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
  check(libc().mount(cPath(source), cPath(directory), cPath('overlay'), flags, cPath(options)), 'mount', directory);
}

/** Takes the mount on a directory away, at once for the eyes of all, and in truth when nobody uses it any more. */
export function unmount(directory: string): void {
  check(libc().umount2(cPath(directory), MNT_DETACH), 'umount2', directory);
}

/** Takes the mount on a directory away, and throws EBUSY where anybody uses it. */
export function unmountIdle(directory: string): void {
  check(libc().umount2(cPath(directory), 0), 'umount2', directory);
}

/** Where a path lies from an open directory, as `Files` names such paths; undefined for another one. */
function belowDescriptor(path: HostPath): { readonly directory: number; readonly name: string } | undefined {
  const below = typeof path === 'string' ? BELOW_DESCRIPTOR.exec(path) : null;
  return below === null ? undefined : { directory: Number(below[1]), name: below[2] ?? '.' };
}

/** Fills the buffer with names. @returns their bytes, or -1 with errno set, as the two calls after it do. */
function readXattrNames(path: HostPath, room: number): number {
  const below = hasXattrCallsBelow ? belowDescriptor(path) : undefined;
  if (below === undefined) return Number(libc().llistxattr(cPath(path), xattrBuffer, room));
  const { directory, name } = below;
  const size = libc().listxattrat(SYS_LISTXATTRAT, directory, name, AT_SYMLINK_NOFOLLOW, xattrBuffer, room);
  return isCallMissing(size) ? readXattrNames(path, room) : Number(size);
}

function readXattr(path: HostPath, name: string, room: number): number {
  const below = hasXattrCallsBelow ? belowDescriptor(path) : undefined;
  if (below === undefined) return Number(libc().lgetxattr(cPath(path), nameBytes(name), xattrBuffer, room));
  xattrArguments.writeUint32LE(room, 8);
  const { directory, name: file } = below;
  const [wanted, { length }] = [nameBytes(name), xattrArguments];
  const size = libc().getxattrat(SYS_GETXATTRAT, directory, file, AT_SYMLINK_NOFOLLOW, wanted, xattrArguments, length);
  return isCallMissing(size) ? readXattr(path, name, room) : Number(size);
}

/** True where a call failed because the kernel does not have it, which is remembered. */
function isCallMissing(result: number | bigint): boolean {
  if (result >= 0 || errorName() !== 'ENOSYS') return false;
  hasXattrCallsBelow = false;
  return true;
}

/** The size that a call gave or, where there was not room enough, that it gives with more. */
function enough(size: number, withMore: () => number): number {
  return size < 0 && errorName() === 'ERANGE' ? withMore() : size;
}

function libc(): LibC {
  bound ??= bind();
  return bound;
}

function bind() {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const lib = koffi.load('libc.so.6');
  xattrArguments.writeBigUInt64LE(koffi.address(xattrBuffer));
  const declare = <F>(prototype: string): F => lib.func(prototype) as unknown as F;
  return {
    errno: () => koffi.errno(),
    flock: declare<(fd: number, operation: number) => number>('int flock(int, int)'),
    fcntl: declare<(fd: number, command: number, lock: Buffer) => number>('int fcntl(int, int, void *)'),
    renameat2: declare<(d1: number, a: CPath, d2: number, b: CPath, flags: number) => number>(
      'int renameat2(int, const char *, int, const char *, unsigned int)',
    ),
    syncfs: declare<(fd: number) => number>('int syncfs(int)'),
    mknod: declare<(path: CPath, mode: number, device: bigint) => number>(
      'int mknod(const char *, unsigned int, uint64_t)',
    ),
    utimensat: declare<(d: number, path: CPath, times: Buffer, flags: number) => number>(
      'int utimensat(int, const char *, void *, int)',
    ),
    statx: declare<(d: number, path: CPath, flags: number, mask: number, into: Buffer) => number>(
      'int statx(int, const char *, int, unsigned int, void *)',
    ),
    openat: declare<(d: number, path: string, flags: number, mode: number) => number>(
      'int openat(int, const char *, int, unsigned int)',
    ),
    listxattrat: declare<
      (call: number, d: number, path: string, flags: number, list: Buffer, size: number) => number | bigint
    >('long syscall(long, int, const char *, unsigned int, void *, size_t)'),
    getxattrat: declare<
      (
        call: number,
        d: number,
        path: string,
        flags: number,
        name: Buffer,
        args: Buffer,
        size: number,
      ) => number | bigint
    >('long syscall(long, int, const char *, unsigned int, const char *, void *, size_t)'),
    llistxattr: declare<(path: CPath, list: Buffer, size: number) => number>(
      'long llistxattr(const char *, void *, size_t)',
    ),
    lgetxattr: declare<(path: CPath, name: Buffer, value: Buffer, size: number) => number>(
      'long lgetxattr(const char *, void *, void *, size_t)',
    ),
    lsetxattr: declare<(path: CPath, name: Buffer, value: Buffer, size: number, flags: number) => number>(
      'int lsetxattr(const char *, void *, void *, size_t, int)',
    ),
    lremovexattr: declare<(path: CPath, name: Buffer) => number>('int lremovexattr(const char *, void *)'),
    ioctl: declare<(fd: number, request: number, argument: number) => number>('int ioctl(int, unsigned long, long)'),
    lseek: declare<(fd: number, offset: number, whence: number) => number>('int64_t lseek(int, int64_t, int)'),
    socket: declare<(domain: number, type: number, protocol: number) => number>('int socket(int, int, int)'),
    bind: declare<(fd: number, address: Buffer, length: number) => number>('int bind(int, void *, unsigned int)'),
    close: declare<(fd: number) => number>('int close(int)'),
    unshare: declare<(flags: number) => number>('int unshare(int)'),
    umount2: declare<(target: CPath, flags: number) => number>('int umount2(const char *, int)'),
    mount: declare<(source: CPath, target: CPath, type: CPath | null, flags: number, options: CPath | null) => number>(
      'int mount(const char *, const char *, const char *, unsigned long, const char *)',
    ),
  };
}

function check(result: number, syscall: string, path?: HostPath): void {
  if (result < 0) throw new SystemError(errorName(), syscall, path === undefined ? undefined : text(path));
}

/** The name of the calling thread's errno. `ENOTSUP` and `EOPNOTSUPP` are one number on Linux. */
function errorName(): string {
  const name = getSystemErrorName(-libc().errno());
  return name === 'EOPNOTSUPP' ? 'ENOTSUP' : name;
}

/** What koffi takes for `const char *`: text, which it makes UTF-8 of, or bytes with a NUL at their end. */
type CPath = string | Buffer;

function cPath(path: HostPath): CPath {
  return typeof path === 'string' ? path : Buffer.concat([path, Buffer.alloc(1)]);
}

/** An attribute's name as `listXattrs` gives it, for C. */
function nameBytes(name: string): Buffer {
  return Buffer.from(`${name}\0`, 'latin1');
}

function text(path: HostPath): string {
  return typeof path === 'string' ? path : path.toString('utf8');
}

function secondsAndRest(ns: bigint): [bigint, bigint] {
  const rest = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return [(ns - rest) / 1_000_000_000n, rest];
}
