/** What need not be digested again, for another delta has it too. */

import type { FilesRead, Stat } from '../host/files.js';
import { runRecursion } from '../model/job.js';
import type { Place } from '../model/place.js';
import { type WalkEntry, walkLayer } from './delta.js';
import { ListedDigests } from './listing.js';
import { MergeCursor } from './merge-cursor.js';

/** The digests of files that have another name in another delta, at the same path; none where that is not sealed. */
export class SharedDigests implements Disposable {
  private readonly digests: ListedDigests | undefined;
  private readonly inodes: MergeCursor<bigint> | undefined;

  /** @param listing of the other delta, be it there or not. */
  constructor(files: FilesRead, other: string, listing: string) {
    if (files.stat(listing) === undefined) return;
    this.digests = new ListedDigests(files, listing);
    this.inodes = new MergeCursor(inodesIn(files, other));
  }

  [Symbol.dispose](): void {
    this.digests?.[Symbol.dispose]();
    this.inodes?.[Symbol.dispose]();
  }

  /** Guesses whether a file has one: nearly all that have several names do. A wrong guess costs no more than time. */
  mayHave({ links }: Stat): boolean {
    return links > 1;
  }

  /** The digest of what a walk has come to, if it has one. */
  find({ place, stat }: WalkEntry): string | undefined {
    return stat.links > 1 && this.inodes?.find(place) === stat.inode ? this.digests?.find(place) : undefined;
  }
}

function* inodesIn(files: FilesRead, delta: string): Generator<readonly [Place, bigint]> {
  for (const { place, stat } of runRecursion(walkLayer(files, delta)))
    if (stat.type === 'file') yield [place, stat.inode];
}
