import { readFileSync } from 'node:fs';
import type { BytePath } from '../../src/model/byte-path.js';
import type { Bytes } from '../../src/model/bytes.js';
import type { Entry } from '../../src/model/entry.js';
import { decodeEntry, decodeLines } from '../../src/model/mtree.js';
import { pathOf } from '../../src/model/place.js';

export type PathEntry = Entry & { readonly path: BytePath };

/** A buffer as bytes that are read in portions. */
export function asBytes(all: Buffer): Bytes {
  return { size: all.length, read: (buffer, position) => all.copy(buffer, 0, position) };
}

/** The entries of the sealed listing in a file. */
export function entriesIn(path: string): PathEntry[] {
  return decodeListing(readFileSync(path), path);
}

/** The entries of a sealed listing. @param where names it in errors. */
export function decodeListing(listing: Buffer, where: string): PathEntry[] {
  return Array.from(decodeLines(asBytes(listing), where), ([place, line]) => ({
    ...decodeEntry(line, where),
    path: pathOf(place),
  }));
}
