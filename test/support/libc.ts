/**
 * The system calls that the tests need and Node lacks. Bound apart from the product's own binding, so that a mistake
 * there cannot hide itself here. Paths are bytes; no call follows a symbolic link in a path's last part.
 */

import { closeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const XATTR_SIZE_MAX = 65536;
const NS_PER_SECOND = 1_000_000_000n;

/** umount2(2)'s flag: take the mount out of sight at once, and end it when nothing uses it any more. */
export const MNT_DETACH = 2;

const libc = koffi.load('libc.so.6');
const calls = {
  llistxattr: libc.func('long llistxattr(void *, void *, size_t)'),
  lgetxattr: libc.func('long lgetxattr(void *, void *, void *, size_t)'),
  lsetxattr: libc.func('int lsetxattr(void *, void *, void *, size_t, int)'),
  lremovexattr: libc.func('int lremovexattr(void *, void *)'),
  mknod: libc.func('int mknod(void *, unsigned int, uint64_t)'),
  utimensat: libc.func('int utimensat(int, void *, void *, int)'),
  mount: libc.func('int mount(void *, void *, void *, unsigned long, void *)'),
  umount2: libc.func('int umount2(void *, int)'),
  inotify_init1: libc.func('int inotify_init1(int)'),
  prctl: libc.func('int prctl(int, unsigned long, void *)'),
};

/** The names of all extended attributes that root sees, each character a byte (latin1). */
export function listXattrs(path: Buffer): string[] {
  const names = Buffer.allocUnsafe(XATTR_SIZE_MAX);
  const size = call('llistxattr', cString(path), names, names.length);
  return names.toString('latin1', 0, size).split('\0').slice(0, -1);
}

export function getXattr(path: Buffer, name: string): Buffer {
  const value = Buffer.allocUnsafe(XATTR_SIZE_MAX);
  return Buffer.from(value.subarray(0, call('lgetxattr', cString(path), cString(name), value, value.length)));
}

export function setXattr(path: Buffer, name: string, value: Buffer): void {
  call('lsetxattr', cString(path), cString(name), value, value.length, 0);
}

export function removeXattr(path: Buffer, name: string): void {
  call('lremovexattr', cString(path), cString(name));
}

/** `mode` carries the type (`S_IFCHR`, `S_IFIFO`, `S_IFSOCK`, ...); the device's numbers are below 256. */
export function makeNode(path: Buffer, mode: number, device: { major: number; minor: number }): void {
  call('mknod', cString(path), mode, (device.major << 8) | device.minor);
}

/** Sets the modification time, in nanoseconds since the epoch, and the access time to the same. */
export function setMtime(path: Buffer, mtimeNs: bigint): void {
  const nanoseconds = ((mtimeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const seconds = (mtimeNs - nanoseconds) / NS_PER_SECOND;
  const times = BigInt64Array.of(seconds, nanoseconds, seconds, nanoseconds);
  call('utimensat', AT_FDCWD, cString(path), Buffer.from(times.buffer), AT_SYMLINK_NOFOLLOW);
}

/** mount(2) of an overlay: `options` reaches the kernel byte for byte. */
export function mountOverlayAt(directory: Buffer, options: Buffer): void {
  call('mount', cString('overlay'), cString(directory), cString('overlay'), 0, cString(options));
}

/** mount(2) of a file system that is made of its options alone. */
export function mountAt(directory: Buffer, type: string, options: string): void {
  call('mount', cString(type), cString(directory), cString(type), 0, cString(options));
}

export function unmount(directory: Buffer, flags = 0): void {
  call('umount2', cString(directory), flags);
}

/** Opens as many instances of inotify(7) as this user may still have, on the whole machine: soon to be disposed of. */
export function useUpInotify(): Disposable {
  const open: number[] = [];
  const close = () => open.forEach((fd) => void closeSync(fd));
  try {
    for (;;) open.push(call('inotify_init1', 0));
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EMFILE') return { [Symbol.dispose]: close };
    close();
    throw error;
  }
}

/** Calls, and throws as `node:fs` would: an error with the `code` and the `syscall`. */
function call(syscall: keyof typeof calls, ...args: unknown[]): number {
  const result = Number(calls[syscall](...args));
  if (result >= 0) return result;
  const code = getSystemErrorName(-koffi.errno());
  const [path] = args.filter(Buffer.isBuffer);
  throw Object.assign(new Error(`${code}: ${syscall} ${path?.toString('latin1')}`), { code, syscall });
}

/** A string stands for bytes, one a character (latin1), as the names of attributes do. */
function cString(bytes: string | Buffer): Buffer {
  return Buffer.concat([typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, Buffer.alloc(1)]);
}

const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
/** linux/filter.h and linux/seccomp.h: load a word, jump where it is equal, return. */
const [LOAD, JUMP_EQUAL, RETURN] = [0x20, 0x15, 0x06];
const [ALLOW, ERRNO] = [0x7fff0000, 0x00050000];
const ENOSYS = 38;

/** Makes this thread's kernel one that does not know these system calls, until the process ends. */
export function forgetSystemCalls(...numbers: number[]): void {
  const instructions = [
    [LOAD, 0, 0, 0],
    ...numbers.map((number, index) => [JUMP_EQUAL, numbers.length - index, 0, number]),
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, ERRNO | ENOSYS],
  ];
  const filter = Buffer.concat(
    instructions.map(([code, whenTrue, whenFalse, operand]) => {
      const instruction = Buffer.alloc(8);
      instruction.writeUInt16LE(code as number);
      instruction.writeUInt8(whenTrue as number, 2);
      instruction.writeUInt8(whenFalse as number, 3);
      instruction.writeUInt32LE(operand as number, 4);
      return instruction;
    }),
  );
  const program = Buffer.alloc(16);
  program.writeUInt16LE(instructions.length);
  program.writeBigUInt64LE(BigInt(koffi.address(filter)), 8);
  call('prctl', PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program);
}
