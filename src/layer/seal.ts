/** Seals deltas: lists every path of one, with a digest of each file, so that later looks need not read the files again. */

import type { Files } from '../host/files.js';
import { type Bytes, piecesOf } from '../model/bytes.js';
import type { Job } from '../model/job.js';
import { ListingWriter } from '../model/mtree.js';
import { type EntriesOptions, entriesOf } from './entries.js';

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
  for (const listed of entriesOf(files, delta, { ...options, skip: begun?.listed ?? 0 })) {
    if (listed !== undefined) chunk += writer.entry(listed.depth, listed.entry);
    else yield;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    files.append(partial, chunk);
    chunk = '';
  }
  files.append(partial, chunk + writer.seal());
  files.sync(partial);
  files.rename(partial, entries);
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
  let bytes = head.length;
  let listed = 0;
  for (const line of lines) {
    if (line.startsWith('#')) break;
    const taken = writer.line(line);
    if (taken === undefined) return undefined;
    bytes += line.length + 1;
    if (taken === 'entry') listed += 1;
    yield;
  }
  return { writer, listed, bytes };
}
