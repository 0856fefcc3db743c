/** SHA-256 of files: read, or looked up in the sealed listing of the delta that they lie in. */

import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { FilesRead } from '../host/files.js';
import type { HostPath } from '../host/native.js';
import type { BytePath } from '../model/byte-path.js';
import type { Job } from '../model/job.js';
import { decodeListing } from '../model/mtree.js';

const READ_BYTES = 1 << 20;

/** The digest of a regular file, in 64 hex digits. Holes are read as what they are, zeros. */
export function* digestFile(files: FilesRead, path: HostPath): Job<string> {
  using file = files.openFile(path);
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(file.size, 1)));
  for (let position = 0; ; ) {
    const read = file.read(buffer, position);
    if (read === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, read));
    position += read;
    yield;
  }
}

/** What sealed listings know, each read once, when it is first asked. */
export class SealedDigests {
  private readonly listings = new Map<string, ReadonlyMap<BytePath, string> | undefined>();
  /** The deltas that were asked for and have no listing. */
  readonly unsealed = new Set<string>();

  constructor(private readonly files: FilesRead) {}

  /** The digest of a regular file of a layer; undefined where no listing tells: of a keyframe, a base, a working delta. */
  find(layer: string, path: BytePath): string | undefined {
    if (!this.listings.has(layer)) this.listings.set(layer, this.read(layer));
    return this.listings.get(layer)?.get(path);
  }

  private read(layer: string): ReadonlyMap<BytePath, string> | undefined {
    if (!layer.endsWith('/delta')) return undefined;
    const path = `${dirname(layer)}/entries`;
    const bytes = this.files.readIfPresent(path);
    if (bytes === undefined) {
      if (this.files.stat(`${dirname(layer)}/manifest.json`) !== undefined) this.unsealed.add(layer);
      return undefined;
    }
    const entries = decodeListing(bytes, path);
    return new Map(
      entries.flatMap(({ path: name, digest }) => (digest === undefined ? [] : [[name, digest] as const])),
    );
  }
}
