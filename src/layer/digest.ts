/** SHA-256 of files: read, or looked up in the sealed listing of the delta that they lie in. */

import { createHash } from 'node:crypto';
import { type FilesRead, isGone } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { portionsOf } from '../model/bytes.js';
import type { Job } from '../model/job.js';
import type { Place } from '../model/place.js';
import { ListedDigests } from './listing.js';

/** The digest of a regular file, in 64 hex digits. Holes are read as what they are, zeros. */
export function* digestFile(files: FilesRead, path: HostPath): Job<string> {
  using file = files.openFile(path);
  const hash = createHash('sha256');
  for (const portion of portionsOf(file)) {
    hash.update(portion);
    yield;
  }
  return hash.digest('hex');
}

/** The same; undefined where it is gone, or no regular file by now: a container may be running. */
export function* digestIfPresent(files: FilesRead, path: HostPath): Job<string | undefined> {
  try {
    return yield* digestFile(files, path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Cost model: opening a file costs as much as reading OPENING_BYTES; scanning a listing costs LISTING_COST per byte. */
const OPENING_BYTES = 80_000;
const LISTING_COST = 4;

/**
 * What sealed listings know of files, which spares reading them. A listing is looked through once the files that were asked for
 * would have taken as long to read: so never much more is read than the less of the two.
 */
export class SealedDigests implements Disposable {
  private readonly listings = new Map<string, Listing | undefined>();

  /**
   * @param paths the file of each delta's listing, be it there or not.
   * @param unsealed receives the deltas whose listing was needed, and is not there.
   */
  constructor(
    private readonly files: FilesRead,
    private readonly paths: ReadonlyMap<string, string>,
    private readonly unsealed = new Set<string>(),
  ) {}

  [Symbol.dispose](): void {
    for (const listing of this.listings.values()) listing?.[Symbol.dispose]();
  }

  /**
   * The digest of a regular file of a layer; undefined where no listing has it (a keyframe, a base, a working delta), or where to read
   * the file is faster. The places that are asked for of one layer must be in the order of a walk.
   */
  find(layer: string, place: Place, size: number): string | undefined {
    return this.listingOf(layer)?.find(place, size);
  }

  /** True where two layers hold the same bytes at a place, by their listings; undefined where not both of them have the digest. */
  compare(a: string, b: string, place: Place, size: number): boolean | undefined {
    if (!this.paths.has(a) || !this.paths.has(b)) return undefined;
    const one = this.find(a, place, size);
    const other = this.find(b, place, size);
    return one === undefined || other === undefined ? undefined : one === other;
  }

  private listingOf(layer: string): Listing | undefined {
    const path = this.paths.get(layer);
    if (path === undefined) return undefined;
    if (!this.listings.has(layer)) {
      const stat = this.files.stat(path);
      this.listings.set(layer, stat && new Listing(this.files, path, stat.size));
    }
    const listing = this.listings.get(layer);
    if (listing === undefined) this.unsealed.add(layer);
    return listing;
  }
}

class Listing implements Disposable {
  /** The cost of the files that were asked for, read or not. */
  private fileCost = 0;
  private digests: ListedDigests | undefined;

  constructor(
    private readonly files: FilesRead,
    private readonly path: string,
    private readonly size: number,
  ) {}

  [Symbol.dispose](): void {
    this.digests?.[Symbol.dispose]();
  }

  find(place: Place, size: number): string | undefined {
    this.fileCost += size + OPENING_BYTES;
    if (this.digests === undefined && this.fileCost < this.size * LISTING_COST) return undefined;
    this.digests ??= new ListedDigests(this.files, this.path);
    return this.digests.find(place);
  }
}
