/** Looks things up in sealed listings, which are read a portion at a time. */

import type { FilesRead } from '../host/files.js';
import { decodeEntry, decodeLines } from '../model/mtree.js';
import type { Place } from '../model/place.js';
import { MergeCursor } from './merge-cursor.js';

/** The digests in a listing, for places in the order of a walk. */
export class ListedDigests implements Disposable {
  private readonly lines: MergeCursor<string>;

  /** @throws LxcvError `store-damaged` where the listing, which must be there, is not as it was sealed. */
  constructor(
    files: FilesRead,
    private readonly listing: string,
  ) {
    this.lines = new MergeCursor(readLines(files, listing));
  }

  [Symbol.dispose](): void {
    this.lines[Symbol.dispose]();
  }

  find(place: Place): string | undefined {
    const line = this.lines.find(place);
    return line === undefined ? undefined : decodeEntry(line, this.listing).digest;
  }
}

function* readLines(files: FilesRead, listing: string): Generator<readonly [Place, string]> {
  using file = files.openFile(listing);
  yield* decodeLines(file, listing);
}
