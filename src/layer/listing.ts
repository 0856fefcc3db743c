/** Reads sealed listings, a portion at a time. */

import type { FilesRead } from '../host/files.js';
import type { BytePath } from '../model/byte-path.js';
import { decodeLines } from '../model/mtree.js';

/** The paths of a listing that is there, each with its line, in the order of the walk. @throws LxcvError `store-damaged`. */
export function* readListing(files: FilesRead, listing: string): Generator<readonly [BytePath, string]> {
  using file = files.openFile(listing);
  yield* decodeLines(file, listing);
}
