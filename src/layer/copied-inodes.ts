/**
 * What the files of a copy were made of. There may be a million: in memory they are stored as bytes, a fifth of what a Map of
 * objects takes, and on disk, for the next copy, as a record each. Both are in the order of a walk: see `MergeCursor`.
 */

import type { Files, FilesRead } from '../host/files.js';
import type { BytePath } from '../model/byte-path.js';
import { type Bytes, piecesOf } from '../model/bytes.js';
import { type Place, PlaceReader, Way } from '../model/place.js';

/** What a file of the source was when it was copied. */
export interface CopiedInode {
  readonly inode: bigint;
  readonly ctimeNs: bigint;
}

/** True for a file that is still what was copied. */
export function isSame(source: CopiedInode | undefined, { inode, ctimeNs }: CopiedInode): boolean {
  return source !== undefined && source.inode === inode && source.ctimeNs === ctimeNs;
}

export type CopiedInodes = Iterable<readonly [Place, CopiedInode]>;

const BLOCK_BYTES = 1 << 16;
/** Inode, ctime, depth, and how many bytes of a name follow. */
const HEAD_BYTES = 24;
/** So many records are put together at once. */
const RECORDS_AT_ONCE = 10_000;
const RECORD = /^(?<inode>\d+) (?<ctimeNs>\d+) (?<depth>\d+) (?<name>.*)$/s;
/** The record of a directory that only leads to others: no file has such an inode. */
const ON_THE_WAY: CopiedInode = { inode: 0n, ctimeNs: 0n };

/** Sources in the order in which they were added. A ctime before the epoch comes back as one that no file has. */
export class CopiedInodeIndex implements CopiedInodes {
  private readonly blocks: Buffer[] = [];
  private block = Buffer.alloc(0);
  private used = 0;
  private readonly way = new Way();

  add(place: Place, source: CopiedInode): void {
    for (const [at, what] of withWay(this.way, place, source)) this.write(at, what);
  }

  *[Symbol.iterator](): Generator<[Place, CopiedInode]> {
    const places = new PlaceReader();
    for (const block of [...this.blocks, this.block.subarray(0, this.used)]) {
      for (let at = 0; at < block.length; ) {
        const inode = block.readBigUInt64LE(at);
        const ctimeNs = block.readBigUInt64LE(at + 8);
        const depth = block.readUInt32LE(at + 16);
        const length = block.readUInt32LE(at + 20);
        at += HEAD_BYTES + length;
        const place = places.read(depth, block.toString('latin1', at - length, at) as BytePath) as Place;
        if (inode !== ON_THE_WAY.inode) yield [place, { inode, ctimeNs }];
      }
    }
  }

  private write({ depth, name }: Place, { inode, ctimeNs }: CopiedInode): void {
    const length = name.length;
    if (this.used + HEAD_BYTES + length > this.block.length) this.beginBlock(HEAD_BYTES + length);
    const { block, used } = this;
    block.writeBigUInt64LE(BigInt.asUintN(64, inode), used);
    block.writeBigUInt64LE(BigInt.asUintN(64, ctimeNs), used + 8);
    block.writeUInt32LE(depth, used + 16);
    block.writeUInt32LE(length, used + 20);
    block.write(name, used + HEAD_BYTES, 'latin1');
    this.used += HEAD_BYTES + length;
  }

  private beginBlock(atLeast: number): void {
    this.blocks.push(this.block.subarray(0, this.used));
    this.block = Buffer.allocUnsafe(Math.max(BLOCK_BYTES, atLeast));
    this.used = 0;
  }
}

/** A place, behind those on the way to it that the one before was not below. */
function* withWay(way: Way, place: Place, source: CopiedInode): Generator<readonly [Place, CopiedInode]> {
  const known = way.take(place);
  for (let depth = known; depth < place.depth; depth += 1) yield [way.at(depth), ON_THE_WAY];
  yield [place, source];
}

/** Writes a list for `readSources`, into a file that is not there yet. */
export function writeCopiedInodes(files: Files, path: string, sources: CopiedInodes): void {
  files.create(path, '', 0o600);
  for (const piece of encodeCopiedInodes(sources)) files.append(path, piece);
}

/** A list on disk, read anew by each iteration. */
export function readCopiedInodes(files: FilesRead, path: string): CopiedInodes {
  return {
    *[Symbol.iterator]() {
      using file = files.openFile(path);
      yield* decodeCopiedInodes(file);
    },
  };
}

/**
 * A record a file, and a directory on the way to one: inode, ctime in nanoseconds, how many names lead there, and the last of
 * these up to a NUL byte. A directory that is only on the way has inode 0. Told in pieces, for it may be long.
 */
export function* encodeCopiedInodes(sources: CopiedInodes): Generator<Buffer> {
  const way = new Way();
  let records: string[] = [];
  for (const [place, source] of sources) {
    for (const [{ depth, name }, { inode, ctimeNs }] of withWay(way, place, source)) {
      records.push(`${inode} ${ctimeNs} ${depth} ${name}\0`);
    }
    if (records.length < RECORDS_AT_ONCE) continue;
    yield Buffer.from(records.join(''), 'latin1');
    records = [];
  }
  yield Buffer.from(records.join(''), 'latin1');
}

/** The inverse, up to what is no record: so a file is read again rather than taken for unchanged. */
export function* decodeCopiedInodes(bytes: Bytes): Generator<[Place, CopiedInode]> {
  const places = new PlaceReader();
  for (const record of piecesOf(bytes, '\0')) {
    const { inode, ctimeNs, depth, name } = RECORD.exec(record)?.groups ?? {};
    const place = name === undefined ? undefined : places.read(Number(depth), name as BytePath);
    if (place === undefined || inode === undefined || ctimeNs === undefined) return;
    if (BigInt(inode) !== ON_THE_WAY.inode) yield [place, { inode: BigInt(inode), ctimeNs: BigInt(ctimeNs) }];
  }
}
