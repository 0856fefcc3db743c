/** The binding to the C library, loaded at the first call: what it declares, its errors, and how paths are handed to it. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import { LxcvError } from '../model/errors.js';

/** A path of the machine: text, or bytes where it came from inside a root file system. */
export type HostPath = string | Buffer;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
/** An open directory, or a path below one, as `Files` names them. */
const BELOW_DESCRIPTOR = /^\/proc\/self\/fd\/(\d+)\/\.(?:\/(.+))?$/s;

type LibC = ReturnType<typeof bind>;
let bound: LibC | undefined;

/** The errno of a failed call as Node's own `fs` would throw it: `code`, `syscall` and `path` set. */
export class SystemError extends Error {
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

/** Where a path lies from an open directory, as `Files` names such paths; undefined for another one. */
export function belowDescriptor(path: HostPath): { readonly directory: number; readonly name: string } | undefined {
  const below = typeof path === 'string' ? BELOW_DESCRIPTOR.exec(path) : null;
  return below === null ? undefined : { directory: Number(below[1]), name: below[2] ?? '.' };
}

export function libc(): LibC {
  bound ??= bind();
  return bound;
}

/**
 * koffi's native part, from the package that it keeps it in. What koffi has around that, for other systems and older names, takes
 * as long again to load, so it is asked only where that part is not found.
 */
export function loadKoffi(arch: string = process.arch): Pick<typeof import('koffi'), 'address' | 'errno' | 'load'> {
  const require = createRequire(import.meta.url);
  const native = `@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`;
  // Where koffi would find it. To have Node look for it takes longer than to load it.
  const places = (require.resolve.paths('koffi') ?? []).flatMap((modules) => [
    `${modules}/koffi/node_modules/${native}`,
    `${modules}/${native}`,
  ]);
  try {
    return require(places.find((place) => existsSync(place)) ?? 'koffi');
  } catch {
    return loadWhole(() => require('koffi'));
  }
}

/** @throws LxcvError `failed` where npm was told to leave it out, or has none for this machine. */
export function loadWhole<T>(load: () => T): T {
  try {
    return load();
  } catch (cause) {
    throw new LxcvError(
      'failed',
      `the package koffi, by which lxcv makes system calls, does not load: ${(cause as Error).message.split('\n')[0]}`,
      'Install lxcv with its optional packages: npm install -g --include=optional lxcv',
      { cause },
    );
  }
}

/** A call that can be made on another thread as well; `told` is called in the end. */
type Both<F extends (fd: number) => number> = F & {
  async(fd: number, told: (error: unknown, result: number) => void): void;
};

function bind() {
  const koffi = loadKoffi();
  const lib = koffi.load('libc.so.6');
  // To declare a call takes as long as ten of them, and few commands make all.
  const declare =
    <F>(prototype: string) =>
    (): F =>
      lib.func(prototype) as unknown as F;
  return atFirstUse({
    errno: () => () => koffi.errno(),
    address: () => (buffer: Buffer) => koffi.address(buffer),
    flock: declare<(fd: number, operation: number) => number>('int flock(int, int)'),
    fcntl: declare<(fd: number, command: number, lock: Buffer) => number>('int fcntl(int, int, void *)'),
    renameat2: declare<(d1: number, a: CPath, d2: number, b: CPath, flags: number) => number>(
      'int renameat2(int, const char *, int, const char *, unsigned int)',
    ),
    linkat: declare<(d1: number, a: CPath, d2: number, b: CPath, flags: number) => number>(
      'int linkat(int, const char *, int, const char *, int)',
    ),
    syncfs: declare<Both<(fd: number) => number>>('int syncfs(int)'),
    mknod: declare<(path: CPath, mode: number, device: bigint) => number>(
      'int mknod(const char *, unsigned int, uint64_t)',
    ),
    utimensat: declare<(d: number, path: CPath, times: Buffer, flags: number) => number>(
      'int utimensat(int, const char *, void *, int)',
    ),
    statx: declare<(d: number, path: CPath, flags: number, mask: number, into: Buffer) => number>(
      'int statx(int, const char *, int, unsigned int, void *)',
    ),
    openat: declare<(d: number, path: CPath, flags: number, mode: number) => number>(
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
    getdents64: declare<(call: number, fd: number, into: Buffer, size: number) => number | bigint>(
      'long syscall(long, int, void *, size_t)',
    ),
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
    ioctlOn: declare<(fd: number, request: number, argument: Buffer) => number>(
      'int ioctl(int, unsigned long, void *)',
    ),
    lseek: declare<(fd: number, offset: number, whence: number) => number>('int64_t lseek(int, int64_t, int)'),
    socket: declare<(domain: number, type: number, protocol: number) => number>('int socket(int, int, int)'),
    bind: declare<(fd: number, address: Buffer, length: number) => number>('int bind(int, void *, unsigned int)'),
    send: declare<(fd: number, message: Buffer, size: number, flags: number) => number | bigint>(
      'long send(int, void *, size_t, int)',
    ),
    recv: declare<(fd: number, into: Buffer, size: number, flags: number) => number | bigint>(
      'long recv(int, void *, size_t, int)',
    ),
    connect: declare<(fd: number, address: Buffer, length: number) => number>('int connect(int, void *, unsigned int)'),
    setsockopt: declare<(fd: number, level: number, option: number, value: Buffer, length: number) => number>(
      'int setsockopt(int, int, int, void *, unsigned int)',
    ),
    getsockopt: declare<(fd: number, level: number, option: number, value: Buffer, length: Buffer) => number>(
      'int getsockopt(int, int, int, void *, void *)',
    ),
    setresuid: declare<(call: number, real: number, effective: number, saved: number) => number | bigint>(
      'long syscall(long, unsigned int, unsigned int, unsigned int)',
    ),
    inotify_init1: declare<(flags: number) => number>('int inotify_init1(int)'),
    inotify_add_watch: declare<(fd: number, path: CPath, mask: number) => number>(
      'int inotify_add_watch(int, const char *, uint32_t)',
    ),
    close: declare<(fd: number) => number>('int close(int)'),
    fsopen: declare<(call: number, type: string, flags: number) => number | bigint>(
      'long syscall(long, const char *, unsigned int)',
    ),
    fsconfig: declare<
      (
        call: number,
        fd: number,
        command: number,
        key: string | null,
        value: string | null,
        aux: number,
      ) => number | bigint
    >('long syscall(long, int, unsigned int, const char *, const char *, int)'),
    umount2: declare<(target: CPath, flags: number) => number>('int umount2(const char *, int)'),
    mount: declare<(source: CPath, target: CPath, type: CPath | null, flags: number, options: CPath | null) => number>(
      'int mount(const char *, const char *, const char *, unsigned long, const char *)',
    ),
  });
}

/** An object of which each value is made when it is first asked for. */
function atFirstUse<Makers extends Record<string, () => unknown>>(
  makers: Makers,
): { readonly [Name in keyof Makers]: ReturnType<Makers[Name]> } {
  const made = {};
  for (const [name, make] of Object.entries(makers)) {
    const get = () => {
      const value = make();
      Object.defineProperty(made, name, { value });
      return value;
    };
    Object.defineProperty(made, name, { get, configurable: true });
  }
  return made as { readonly [Name in keyof Makers]: ReturnType<Makers[Name]> };
}

export function check(result: number, syscall: string, path?: HostPath): void {
  if (result < 0) throw new SystemError(errorName(), syscall, path === undefined ? undefined : text(path));
}

/** The name of the calling thread's errno. `ENOTSUP` and `EOPNOTSUPP` are one number on Linux. */
export function errorName(): string {
  const name = getSystemErrorName(-libc().errno());
  return name === 'EOPNOTSUPP' ? 'ENOTSUP' : name;
}

/** What koffi takes for `const char *`: text, which it makes UTF-8 of, or bytes with a NUL at their end. */
type CPath = string | Buffer;

export function cPath(path: HostPath): CPath {
  return typeof path === 'string' ? path : Buffer.concat([path, Buffer.alloc(1)]);
}

export function text(path: HostPath): string {
  return typeof path === 'string' ? path : path.toString('utf8');
}
