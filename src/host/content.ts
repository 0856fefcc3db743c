/** The bytes of files: read, written, compared and copied through descriptors. See `Files`. */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finishFlags, isStarted, readFlags, startFlags } from './inode-flags.js';
import { type HostPath, isBound } from './libc.js';
import { cloneFile, cloneRange, hasHole, nextData, openPath } from './native.js';
import { copyProject } from './projects.js';
import { type OpenStat, statOpen } from './stat.js';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;
const O_PATH = 0o10000000;
/** Of a file that is made. */
const MODE = 0o600;
const READABLE = 0o444;
const COPY_BUFFER_BYTES = 1 << 20;
/** Of two files at once: what the processor's cache holds, in half the time that a megabyte each takes. */
const COMPARE_BYTES = 1 << 18;
/** Whole blocks of any file system. */
const CLONE_BYTES = 1 << 26;

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

export function sameContent(a: HostPath, b: HostPath): boolean {
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

/**
 * Creates `to` with the bytes of the regular file `from`, its flags of chattr(1) and its project: shared where the file system can, else
 * holes kept.
 * @param tick is called again and again, and ends it where it throws.
 * @returns the letters of the flags that the copy cannot have.
 */
export function copyContent(from: HostPath, to: HostPath, tick?: () => void): string {
  return withFile(from, (source) =>
    withOpen(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, (target) => {
      const flags = readFlags(source);
      startFlags(target, flags);
      copyAll(source, target, tick);
      copyProject(source, target);
      return finishFlags(target, flags);
    }),
  );
}

/** Creates `to` with the bytes of the regular file `from` and with nothing else of it. */
export function copyBytes(from: HostPath, to: HostPath): void {
  withFile(from, (source) =>
    withOpen(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, (target) => copyAll(source, target, undefined)),
  );
}

function copyAll(source: number, target: number, tick: (() => void) | undefined): void {
  const { size } = fstatSync(source);
  if (size === 0 || cloneInPieces(source, target, size, tick)) return;
  const buffer = Buffer.allocUnsafe(Math.min(size, COPY_BUFFER_BYTES));
  for (let range = nextData(source, 0); range !== undefined; range = nextData(source, range[1])) {
    copyRange(source, target, range, buffer, tick);
    if (range[1] >= size) break;
  }
  ftruncateSync(target, size);
}

/**
 * Makes a copy that was made before, and has all its blocks, that of what the regular file `from` holds now. Where bytes cannot be
 * shared, all is read and compared, and only what differs is written: half as long as to write it all.
 * @param tick as of `copyContent`, and so the answer.
 */
export function updateContent(from: HostPath, to: HostPath, tick?: () => void): string {
  return withFile(from, (source) =>
    withOpen(to, O_RDWR | O_NOFOLLOW, (target) => {
      const flags = readFlags(source);
      const { size } = fstatSync(source);
      if (isStarted(target, flags)) {
        if (fstatSync(target).size > size) ftruncateSync(target, size);
        if (!cloneInPieces(source, target, size, tick)) writeDifferences(source, target, size, tick);
      } else {
        ftruncateSync(target, 0);
        startFlags(target, flags);
        copyAll(source, target, tick);
      }
      copyProject(source, target);
      return finishFlags(target, flags);
    }),
  );
}

function writeDifferences(source: number, target: number, size: number, tick: (() => void) | undefined): void {
  const buffer = Buffer.allocUnsafe(COMPARE_BYTES);
  const present = Buffer.allocUnsafe(COMPARE_BYTES);
  for (let offset = 0; offset < size; offset += COMPARE_BYTES) {
    tick?.();
    const read = readSync(source, buffer, 0, Math.min(COMPARE_BYTES, size - offset), offset);
    if (read === 0) return;
    const had = readSync(target, present, 0, read, offset);
    if (had === read && buffer.compare(present, 0, read, 0, read) === 0) continue;
    for (let done = 0; done < read; ) done += writeSync(target, buffer, done, read - done, offset + done);
  }
}

/** To share bytes, the system writes out those that are dirty first: so it is done in pieces. False where they cannot be shared. */
function cloneInPieces(source: number, target: number, size: number, tick: (() => void) | undefined): boolean {
  if (size <= CLONE_BYTES) return cloneFile(source, target);
  for (let offset = 0; offset < size; offset += CLONE_BYTES) {
    tick?.();
    const isLast = offset + CLONE_BYTES >= size;
    if (!cloneRange(source, target, offset, isLast ? 0 : CLONE_BYTES)) return false;
  }
  return true;
}

function copyRange(
  source: number,
  target: number,
  [start, end]: readonly [number, number],
  buffer: Buffer,
  tick: (() => void) | undefined,
): void {
  for (let offset = start; offset < end; ) {
    tick?.();
    const read = readSync(source, buffer, 0, Math.min(buffer.length, end - offset), offset);
    if (read === 0) return;
    for (let done = 0; done < read; ) done += writeSync(target, buffer, done, read - done, offset + done);
    offset += read;
  }
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

/** A file that has no name, and which anybody may read who is given it. */
export function openNameless(content: Buffer): OpenFile {
  const directory = mkdtempSync(join(tmpdir(), 'lxcv-'));
  const path = join(directory, 'nameless');
  try {
    const descriptor = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, MODE);
    unlinkSync(path);
    for (let done = 0; done < content.length; )
      done += writeSync(descriptor, content, done, content.length - done, done);
    fchmodSync(descriptor, READABLE);
    return openDescriptor(descriptor, content.length);
  } finally {
    rmdirSync(directory);
  }
}

function openDescriptor(descriptor: number, size: number): OpenFile {
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

function withFile<T>(path: HostPath, use: (fd: number) => T): T {
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
