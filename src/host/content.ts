/** The bytes of files: read and written through descriptors. See `Files`; how they are compared and copied: copy-content.ts. */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { type HostPath, isBound } from './libc.js';
import { hasHole, openPath } from './native.js';
import { type OpenStat, statOpen } from './stat.js';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const O_PATH = 0o10000000;
/** Of a file that is made. */
const MODE = 0o600;

/** An open regular file. */
export interface OpenFile extends Disposable {
  /** For a program that is to read it. */
  readonly descriptor: number;
  /** Bytes when it was opened. */
  readonly size: number;
  /** Fills `buffer` from `position` on, as far as there is something; returns how many bytes there were. */
  read(buffer: Buffer, position: number): number;
  /** True where there are zeros in it that are on no disk. */
  hasHole(): boolean;
}

/** What is larger is no record and no config: to read it would take all memory. */
const RECORD_BYTES_MAX = 1 << 24;

/**
 * @param look is shown what was opened, before anything of it is read.
 * @throws EFBIG for a file of more than `max` bytes, and ESTALE for what is neither file nor directory.
 */
export function readWhole(path: HostPath, max = RECORD_BYTES_MAX, look?: (stat: OpenStat) => void): Buffer {
  return withOpen(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, (fd) => {
    const stat = statOpen(fd);
    look?.(stat);
    const { type, size } = stat;
    // Of a FIFO nobody knows when somebody writes to it, and /dev/zero has no end.
    if (type !== 'file' && type !== 'directory') throw notRegular(path);
    // Files of the kernel's have no size; to read a directory is the system's to refuse.
    if (type === 'directory' || size === 0) return readFileSync(fd);
    if (size > max) throw Object.assign(new Error(`more than ${max} bytes: ${path}`), { code: 'EFBIG' });
    const content = Buffer.allocUnsafe(size);
    return content.subarray(0, readAt(fd, content, 0));
  });
}

export function readEnd(path: HostPath, bytes: number): Buffer {
  return withOpen(path, O_RDONLY | O_NOFOLLOW, (fd) => {
    const { size } = fstatSync(fd);
    const end = Buffer.alloc(Math.min(size, bytes));
    readSync(fd, end, 0, end.length, size - end.length);
    return end;
  });
}

export function create(path: HostPath, data: string | Uint8Array, mode: number): void {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  writeAllAndClose(fd, data, mode);
}

export function append(path: HostPath, data: string | Uint8Array): void {
  writeAllAndClose(openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, MODE), data, MODE);
}

export function truncate(path: HostPath, size: number): void {
  withOpen(path, O_WRONLY | O_NOFOLLOW, (fd) => ftruncateSync(fd, size));
}

/** @param mode of a file that was made, whatever the umask is. */
function writeAllAndClose(fd: number, data: string | Uint8Array, mode: number): void {
  try {
    const stat = fstatSync(fd);
    if (stat.size === 0 && (stat.mode & 0o7777) !== mode) fchmodSync(fd, mode);
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  } finally {
    closeSync(fd);
  }
}

export function openFile(path: HostPath): OpenFile {
  const { descriptor, size } = openRegular(path);
  return openDescriptor(descriptor, size);
}

/** @param size of the regular file that is open there. */
export function openDescriptor(descriptor: number, size: number): OpenFile {
  return {
    descriptor,
    size,
    read: (buffer, position) => readAt(descriptor, buffer, position),
    hasHole: () => hasHole(descriptor, size),
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

/** Fills a buffer as far as there is something. @returns how many bytes there were. */
function readAt(fd: number, buffer: Buffer, position: number): number {
  let done = 0;
  while (done < buffer.length) {
    const read = readSync(fd, buffer, done, buffer.length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** Does something with a regular file that is open for reading meanwhile. */
export function withFile<T>(path: HostPath, use: (fd: number) => T): T {
  const { descriptor } = openRegular(path);
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function notRegular(path: HostPath): Error {
  return Object.assign(new Error(`not a regular file: ${path}`), { code: 'ESTALE' });
}

/** Opens what must be a regular file: a FIFO or a device that took its place is not opened at all. */
function openRegular(path: HostPath): { descriptor: number; size: number } {
  return withOpen(path, O_PATH | O_NOFOLLOW, (place) => {
    const stat = fstatSync(place);
    if (!stat.isFile()) throw notRegular(path);
    return { descriptor: openSync(`/proc/self/fd/${place}`, O_RDONLY), size: stat.size };
  });
}

/** open(2); a file that is made has mode 0600. By the binding once that is loaded: see `openPath`. */
export function open(path: HostPath, flags: number): number {
  return isBound() ? openPath(path, flags, MODE) : openSync(path, flags, MODE);
}

/** Does something with a file that is open meanwhile; one that is made has mode 0600. */
export function withOpen<T>(path: HostPath, flags: number, use: (fd: number) => T): T {
  const fd = open(path, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
