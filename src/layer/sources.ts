/** The list of the files that a copy was made of, as it lies beside the copy: for the next one to know what is unchanged. */

import type { BytePath } from '../model/byte-path.js';
import type { Source } from './live-copy.js';

/** A record a file: inode, ctime in nanoseconds, and the path up to a NUL byte. */
export function encodeSources(sources: ReadonlyMap<BytePath, Source>): Buffer {
  const records = [...sources].map(([path, { inode, ctimeNs }]) => `${inode} ${ctimeNs} ${path}\0`);
  return Buffer.from(records.join(''), 'latin1');
}

/** The inverse; what is no record is left out, so that a file is read again rather than taken for unchanged. */
export function decodeSources(bytes: Buffer): Map<BytePath, Source> {
  const sources = new Map<BytePath, Source>();
  for (const [, inode, ctimeNs, path] of bytes.toString('latin1').matchAll(/(\d+) (\d+) ([^\0]*)\0/g)) {
    sources.set(path as BytePath, { inode: BigInt(inode as string), ctimeNs: BigInt(ctimeNs as string) });
  }
  return sources;
}
