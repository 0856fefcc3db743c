/** The list of the files that a copy was made of, as it lies beside the copy: for the next one to know what is unchanged. */

import type { BytePath } from '../model/byte-path.js';
import { type Source, SourceTable } from './source-table.js';

/** So many records are put together at once. */
const RECORDS_AT_ONCE = 10_000;
const RECORD = /^(?<inode>\d+) (?<ctimeNs>\d+) (?<path>.*)$/s;

/** A record a file: inode, ctime in nanoseconds, and the path up to a NUL byte. */
export function encodeSources(sources: Iterable<readonly [BytePath, Source]>): Buffer {
  const pieces: Buffer[] = [];
  let records: string[] = [];
  const putTogether = () => {
    pieces.push(Buffer.from(records.join(''), 'latin1'));
    records = [];
  };
  for (const [path, { inode, ctimeNs }] of sources) {
    records.push(`${inode} ${ctimeNs} ${path}\0`);
    if (records.length === RECORDS_AT_ONCE) putTogether();
  }
  putTogether();
  return Buffer.concat(pieces);
}

/** The inverse; what is no record is left out, so that a file is read again rather than taken for unchanged. */
export function decodeSources(bytes: Buffer): SourceTable {
  const sources = new SourceTable();
  for (let start = 0, end = bytes.indexOf(0); end >= 0; start = end + 1, end = bytes.indexOf(0, start)) {
    const { inode, ctimeNs, path } = RECORD.exec(bytes.toString('latin1', start, end))?.groups ?? {};
    if (inode === undefined || ctimeNs === undefined) continue;
    sources.set(path as BytePath, { inode: BigInt(inode), ctimeNs: BigInt(ctimeNs) });
  }
  return sources;
}
