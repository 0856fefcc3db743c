/** Extended attributes, which Node does not offer: below an open directory where the kernel can (Linux 6.13), else by their path. */

import {
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

/** The numbers of getxattrat(2) and listxattrat(2) are the same on each architecture: asm-generic/unistd.h. */
const SYS_GETXATTRAT = 464;
const SYS_LISTXATTRAT = 465;
/** The kernel's limit for one value and for one file's list of names. */
const XATTR_MAX = 65536;
/** Enough for nearly all: the kernel takes as much memory as it is offered, which is a quarter of the call. */
const XATTR_USUAL = 512;
/** Names and values are read into this buffer in turn. */
const xattrBuffer = Buffer.allocUnsafeSlow(XATTR_MAX);
/** struct xattr_args of linux/xattr.h: the address of that buffer, its size, flags. */
const xattrArguments = Buffer.alloc(16);

/** False once the kernel turned out to be older than Linux 6.13. */
let hasXattrCallsBelow = true;

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

/** Fills the buffer with names. @returns their bytes, or -1 with errno set, as `readXattr` does. */
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
  xattrArguments.writeBigUInt64LE(libc().address(xattrBuffer));
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

/** An attribute's name as `listXattrs` gives it, for C. */
function nameBytes(name: string): Buffer {
  return Buffer.from(`${name}\0`, 'latin1');
}
