/** The bytes of regular files compared, and copied: shared where the file system can. See `Files`. */

import { constants, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { withFile, withOpen } from './content.js';
import { finishFlags, isStarted, readFlags, startFlags } from './inode-flags.js';
import type { HostPath } from './libc.js';
import { cloneFile, cloneRange, nextData } from './native.js';
import { copyProject } from './projects.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR, O_WRONLY } = constants;
const COPY_BUFFER_BYTES = 1 << 20;
/** Of two files at once: what the processor's cache holds, in half the time that a megabyte each takes. */
const COMPARE_BYTES = 1 << 18;
/** Whole blocks of any file system. */
const CLONE_BYTES = 1 << 26;

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
