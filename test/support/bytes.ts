import { readFileSync } from 'node:fs';
import type { Bytes } from '../../src/model/bytes.js';
import type { Entry } from '../../src/model/entry.js';
import { decodeListing } from '../../src/model/mtree.js';

/** A buffer as bytes that are read in portions. */
export function asBytes(all: Buffer): Bytes {
  return { size: all.length, read: (buffer, position) => all.copy(buffer, 0, position) };
}

/** The entries of the sealed listing in a file. */
export function entriesIn(path: string): Entry[] {
  return [...decodeListing(asBytes(readFileSync(path)), path)];
}
