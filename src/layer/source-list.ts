/**
 * What the files of a copy were made of. There may be a million: in memory they are kept as bytes, a fifth of what a Map of
 * objects takes, and on disk, for the next copy, as a record each. Both are in the order of a walk: see `InStep`.
 */

import type { Files, FilesRead } from '../host/files.js';
import { type BytePath, ROOT } from '../model/byte-path.js';
import { type Bytes, piecesOf } from '../model/bytes.js';

/** What a file of the source was when it was copied. */
export interface Source {
  readonly inode: bigint;
  readonly ctimeNs: bigint;
}

/** True for a file that is still what was copied. */
export function isSame(source: Source | undefined, { inode, ctimeNs }: Source): boolean {
  return source !== undefined && source.inode === inode && source.ctimeNs === ctimeNs;
}

export type Sources = Iterable<readonly [BytePath, Source]>;

const BLOCK_BYTES = 1 << 16;
/** Inode, ctime, how many bytes of the path before it begins with too, and how many bytes follow. */
const HEAD_BYTES = 24;
/** So many records are put together at once. */
const RECORDS_AT_ONCE = 10_000;
const RECORD = /^(?<inode>\d+) (?<ctimeNs>\d+) (?<path>.*)$/s;

/** Sources in the order in which they were added. A ctime before the epoch comes back as one that no file has. */
export class SourceList implements Sources {
  private readonly blocks: Buffer[] = [];
  private block = Buffer.alloc(0);
  private used = 0;
  private last = ROOT;

  add(path: BytePath, { inode, ctimeNs }: Source): void {
    const shared = sharedLength(this.last, path);
    const rest = path.length - shared;
    if (this.used + HEAD_BYTES + rest > this.block.length) this.beginBlock(HEAD_BYTES + rest);
    const { block, used } = this;
    block.writeBigUInt64LE(BigInt.asUintN(64, inode), used);
    block.writeBigUInt64LE(BigInt.asUintN(64, ctimeNs), used + 8);
    block.writeUInt32LE(shared, used + 16);
    block.writeUInt32LE(rest, used + 20);
    block.write(path.slice(shared), used + HEAD_BYTES, 'latin1');
    this.used += HEAD_BYTES + rest;
    this.last = path;
  }

  *[Symbol.iterator](): Generator<[BytePath, Source]> {
    let path: string = ROOT;
    for (const block of [...this.blocks, this.block.subarray(0, this.used)]) {
      for (let at = 0; at < block.length; ) {
        const [inode, ctimeNs] = [block.readBigUInt64LE(at), block.readBigUInt64LE(at + 8)];
        const [shared, rest] = [block.readUInt32LE(at + 16), block.readUInt32LE(at + 20)];
        at += HEAD_BYTES + rest;
        path = path.slice(0, shared) + block.toString('latin1', at - rest, at);
        yield [path as BytePath, { inode, ctimeNs }];
      }
    }
  }

  private beginBlock(atLeast: number): void {
    this.blocks.push(this.block.subarray(0, this.used));
    this.block = Buffer.allocUnsafe(Math.max(BLOCK_BYTES, atLeast));
    this.used = 0;
  }
}

/** Writes a list for `readSources`, into a file that is not there yet. */
export function writeSources(files: Files, path: string, sources: Sources): void {
  files.create(path, '', 0o600);
  for (const piece of encodeSources(sources)) files.append(path, piece);
}

/** What a list on disk tells, read each time anew. */
export function readSources(files: FilesRead, path: string): Sources {
  return {
    *[Symbol.iterator]() {
      using file = files.openFile(path);
      yield* decodeSources(file);
    },
  };
}

/** A record a file: inode, ctime in nanoseconds, and the path up to a NUL byte. Told in pieces, for it may be long. */
export function* encodeSources(sources: Sources): Generator<Buffer> {
  let records: string[] = [];
  for (const [path, { inode, ctimeNs }] of sources) {
    records.push(`${inode} ${ctimeNs} ${path}\0`);
    if (records.length < RECORDS_AT_ONCE) continue;
    yield Buffer.from(records.join(''), 'latin1');
    records = [];
  }
  yield Buffer.from(records.join(''), 'latin1');
}

/** The inverse; what is no record is left out, so that a file is read again rather than taken for unchanged. */
export function* decodeSources(bytes: Bytes): Generator<[BytePath, Source]> {
  for (const record of piecesOf(bytes, '\0')) {
    const { inode, ctimeNs, path } = RECORD.exec(record)?.groups ?? {};
    if (inode === undefined || ctimeNs === undefined) continue;
    yield [path as BytePath, { inode: BigInt(inode), ctimeNs: BigInt(ctimeNs) }];
  }
}

function sharedLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
