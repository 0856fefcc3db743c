/** SHA-256 of files: read, or looked up in the sealed listing of the delta that they lie in. */

import { createHash } from 'node:crypto';
import { type FilesRead, isGone } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import type { BytePath } from '../model/byte-path.js';
import type { Job } from '../model/job.js';
import { readListing } from './listing.js';

const READ_BYTES = 1 << 20;

/** The digest of a regular file, in 64 hex digits. Holes are read as what they are, zeros. */
export function* digestFile(files: FilesRead, path: HostPath): Job<string> {
  using file = files.openFile(path);
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(file.size, 1)));
  for (let position = 0; position < file.size; ) {
    const read = file.read(buffer, position);
    if (read === 0) break;
    hash.update(buffer.subarray(0, read));
    position += read;
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

/** What sealed listings know, each read once, when it is first asked. */
export class SealedDigests {
  private readonly read = new Map<string, ReadonlyMap<BytePath, string> | undefined>();
  /** The deltas that were asked for, and whose listing is not there. */
  readonly unsealed = new Set<string>();

  /** @param listings the file of each delta's listing, be it there or not. */
  constructor(
    private readonly files: FilesRead,
    private readonly listings: ReadonlyMap<string, string>,
  ) {}

  /** The digest of a regular file of a layer; undefined where no listing tells: of a keyframe, a base, a working delta. */
  find(layer: string, path: BytePath): string | undefined {
    const listing = this.listings.get(layer);
    if (listing === undefined) return undefined;
    if (!this.read.has(layer)) this.read.set(layer, readDigests(this.files, listing));
    const digests = this.read.get(layer);
    if (digests === undefined) this.unsealed.add(layer);
    return digests?.get(path);
  }
}

function readDigests(files: FilesRead, listing: string): Map<BytePath, string> | undefined {
  if (files.stat(listing) === undefined) return undefined;
  const digests = new Map<BytePath, string>();
  for (const { path, digest } of readListing(files, listing)) if (digest !== undefined) digests.set(path, digest);
  return digests;
}
