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
  const records = bytes.toString('latin1').split('\0').slice(0, -1);
  return new Map(records.flatMap(decodeSource));
}

function decodeSource(record: string): [BytePath, Source][] {
  const { inode, ctimeNs, path } = /^(?<inode>\d+) (?<ctimeNs>\d+) (?<path>.*)$/s.exec(record)?.groups ?? {};
  if (inode === undefined || ctimeNs === undefined) return [];
  return [[path as BytePath, { inode: BigInt(inode), ctimeNs: BigInt(ctimeNs) }]];
}
