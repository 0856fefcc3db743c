/** Seals deltas: lists every path of one, with a digest of each file, so that later looks need not read the files again. */

import type { Files, FilesRead } from '../host/files.js';
import { descend, type Job } from '../model/job.js';
import { decodeEntry, ListingWriter } from '../model/mtree.js';
import { walkLayer } from './delta.js';
import { SealedDigests } from './digest.js';
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
  const writer = new ListingWriter();
  const listed = resume(files, partial, writer);
  let chunk = listed === undefined ? writer.head() : '';
  for (const entry of entriesOf(files, delta, { ...options, skip: listed ?? 0 })) {
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

/** The digests that the listing of a sealed delta has, of the files that have another name elsewhere. */
export function* digestsByInode(files: FilesRead, delta: string, listing: string): Job<Map<bigint, string>> {
  const sealed = new SealedDigests(files, new Map([[delta, listing]]));
  const found = new Map<bigint, string>();
  for (const { path, stat } of descend(walkLayer(files, delta))) {
    yield;
    if (stat.type !== 'file' || stat.links < 2) continue;
    const digest = sealed.find(delta, path);
    if (digest !== undefined) found.set(stat.inode, digest);
  }
  return found;
}

/** Takes up what was listed before; returns how many entries that are, or undefined where there is nothing of use. */
function resume(files: Files, partial: string, writer: ListingWriter): number | undefined {
  const bytes = files.readIfPresent(partial);
  if (bytes === undefined) return undefined;
  const lines = bytes.toString('latin1').split('\n').slice(0, -1);
  const listed = lines.filter((line) => !line.startsWith('#'));
  if (lines.length === 0 || !listed.every(isEntry)) {
    files.unlink(partial);
    return undefined;
  }
  const kept = writer.resume(listed);
  if (kept.length < bytes.length) files.truncate(partial, kept.length);
  return listed.length;
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
