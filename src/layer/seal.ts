/** Seals deltas: lists every path of one, with a digest of each file, so that later looks need not read the files again. */

import type { Files, FilesRead, Stat } from '../host/files.js';
import type { BytePath } from '../model/byte-path.js';
import { type Bytes, piecesOf } from '../model/bytes.js';
import { descend, type Job } from '../model/job.js';
import { decodeEntry, ListingWriter } from '../model/mtree.js';
import { type Visit, walkLayer } from './delta.js';
import { type EntriesOptions, entriesOf, type KnownDigests } from './entries.js';
import { InStep } from './in-step.js';
import { readListing } from './listing.js';

/** How much is listed before it is written: what an interruption costs, besides the files that are being read. */
const CHUNK_CHARACTERS = 1 << 16;

/**
 * Lists a delta that does not change any more in `partial`, and renames that to `entries` when it is whole. Where an earlier
 * one was interrupted, this one goes on behind its last whole line: a delta is walked in the same order each time.
 */
export function* sealDelta(
  files: Files,
  delta: string,
  { partial, entries }: { readonly partial: string; readonly entries: string },
  options: Pick<EntriesOptions, 'known' | 'startThread'>,
): Job<void> {
  const begun = yield* resume(files, partial);
  const writer = begun?.writer ?? new ListingWriter();
  let chunk = begun === undefined ? writer.head() : '';
  for (const entry of entriesOf(files, delta, { ...options, skip: begun?.listed ?? 0 })) {
    if (entry !== undefined) chunk += writer.entry(entry);
    else yield;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    files.append(partial, chunk);
    chunk = '';
  }
  files.append(partial, chunk + writer.seal());
  files.sync(partial);
  files.rename(partial, entries);
}

/**
 * The digests of a delta's files that have another name in another one, at the same path, from the listing of that; nothing
 * where it has none.
 */
export class SharedDigests implements KnownDigests, Disposable {
  private readonly inodes: InStep<bigint>;
  private readonly lines: InStep<string>;

  constructor(
    files: FilesRead,
    other: string,
    private readonly listing: string,
  ) {
    const isSealed = files.stat(listing) !== undefined;
    this.lines = new InStep(isSealed ? readListing(files, listing) : []);
    this.inodes = new InStep(isSealed ? inodesIn(files, other) : []);
  }

  [Symbol.dispose](): void {
    this.lines[Symbol.dispose]();
    this.inodes[Symbol.dispose]();
  }

  /** Nearly all that has several names has them there. */
  mayKnow({ links }: Pick<Stat, 'links'>): boolean {
    return links > 1;
  }

  find({ path, stat }: Visit): string | undefined {
    if (stat.links < 2 || this.inodes.find(path) !== stat.inode) return undefined;
    const line = this.lines.find(path);
    return line === undefined ? undefined : decodeEntry(line, this.listing).digest;
  }
}

function* inodesIn(files: FilesRead, delta: string): Generator<readonly [BytePath, bigint]> {
  for (const { path, stat } of descend(walkLayer(files, delta))) if (stat.type === 'file') yield [path, stat.inode];
}

/** What an interrupted sealing left. */
interface Begun {
  /** Has taken up what was listed. */
  readonly writer: ListingWriter;
  readonly listed: number;
  /** Of the lines that are whole. */
  readonly bytes: number;
}

/** Takes up what was listed before; undefined where there is nothing of use. */
function* resume(files: Files, partial: string): Job<Begun | undefined> {
  if (files.stat(partial) === undefined) return undefined;
  using file = files.openFile(partial);
  const begun = yield* readBegun(file);
  if (begun === undefined) files.unlink(partial);
  else if (begun.bytes < file.size) files.truncate(partial, begun.bytes);
  return begun;
}

function* readBegun(file: Bytes): Job<Begun | undefined> {
  const writer = new ListingWriter();
  const head = writer.head();
  const lines = piecesOf(file, '\n');
  if (`${lines.next().value}\n` !== head) return undefined;
  let [bytes, listed] = [head.length, 0];
  for (const line of lines) {
    if (line.startsWith('#')) break;
    if (!isEntry(line)) return undefined;
    bytes += writer.line(line).length;
    listed += 1;
    yield;
  }
  return { writer, listed, bytes };
}

/** A power cut can leave anything where something was written. */
function isEntry(line: string): boolean {
  try {
    decodeEntry(line, '');
    return true;
  } catch {
    return false;
  }
}
