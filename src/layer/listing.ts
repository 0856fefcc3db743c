/** Reads sealed listings, a portion at a time. */

import type { FilesRead } from '../host/files.js';
import type { Entry } from '../model/entry.js';
import { decodeListing } from '../model/mtree.js';

/** The entries of a listing that is there, in the order of the walk. @throws LxcvError `store-damaged`. */
export function* readListing(files: FilesRead, listing: string): Generator<Entry> {
  using file = files.openFile(listing);
  yield* decodeListing(file, listing);
}
