/** Files that have no name, or get it when they are whole. */

import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenFile, openDescriptor } from './content.js';
import { linkOpen } from './native.js';

/** Linux's flag to open a new file in a directory that bears no name there. */
export const O_TMPFILE = 0o20200000;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
/** What a file system says that has no such files, or a kernel that does not know of them. */
const NO_NAMELESS = ['EOPNOTSUPP', 'ENOTSUP', 'EISDIR'];

/** A file that is written to, and has no name yet: without one it is gone when nobody has it open, be that by a power cut. */
export interface NamelessFile extends Disposable {
  /** For a program that is to write to it. */
  readonly descriptor: number;
  /** Makes its bytes durable, and gives it its name. Fails with EEXIST where `path`, on the same file system, is there. */
  publish(path: string): void;
}

/** @returns undefined where the file system of the directory has no such files. */
export function createNameless(directory: string, mode: number): NamelessFile | undefined {
  const descriptor = open(directory, mode);
  if (descriptor === undefined) return undefined;
  fchmodSync(descriptor, mode);
  return {
    descriptor,
    publish(path) {
      fsyncSync(descriptor);
      linkOpen(descriptor, path);
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

function open(directory: string, mode: number): number | undefined {
  try {
    return openSync(directory, constants.O_WRONLY | O_TMPFILE, mode);
  } catch (error) {
    if (NO_NAMELESS.includes((error as { code?: string }).code ?? '')) return undefined;
    throw error;
  }
}

/** A file that has no name, and which anybody may read who is given it. */
export function openNameless(content: Buffer): OpenFile {
  const directory = mkdtempSync(join(tmpdir(), 'lxcv-'));
  const path = join(directory, 'nameless');
  try {
    const descriptor = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    unlinkSync(path);
    for (let done = 0; done < content.length; )
      done += writeSync(descriptor, content, done, content.length - done, done);
    fchmodSync(descriptor, 0o444);
    return openDescriptor(descriptor, content.length);
  } finally {
    rmdirSync(directory);
  }
}
