/** Seals deltas: lists every path of one, with a digest of each file, so that later looks need not read the files again. */

import type { Files, FilesRead, Stat } from '../host/files.js';
import type { Entry } from '../model/entry.js';
import { descend, type Job } from '../model/job.js';
import { decodeEntry, ListingWriter } from '../model/mtree.js';
import { type Visit, walkLayer } from './delta.js';
import { digestFile, SealedDigests } from './digest.js';

/** How much is listed before it is written: what an interruption costs at most, besides the file that was being read. */
const CHUNK_CHARACTERS = 1 << 16;

/** How much of a file may be holes. */
const HOLE_MAX_BYTES = 2 ** 30;

/**
 * Lists a delta that does not change any more in `partial`, and renames that to `entries` when it is whole. Where an earlier
 * one was interrupted, this one goes on behind its last whole line: a delta is walked in the same order each time.
 * @param known tells the digest of an inode that was digested before.
 */
export function* sealDelta(
  files: Files,
  delta: string,
  { partial, entries }: { readonly partial: string; readonly entries: string },
  known: (inode: bigint) => string | undefined,
): Job<void> {
  const writer = new ListingWriter();
  let skip = resume(files, partial, writer);
  let chunk = skip === undefined ? writer.head() : '';
  for (const visit of descend(walkLayer(files, delta))) {
    yield;
    if (skip !== undefined && skip > 0) {
      skip -= 1;
      continue;
    }
    chunk += writer.entry(yield* describe(files, visit, known));
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

/** Of such a file no digest is taken: minutes would go into zeros that are not there. */
function isMostlyHole({ size, allocated }: Stat): boolean {
  return size - allocated > HOLE_MAX_BYTES;
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

function* describe(
  files: Files,
  { path, location, stat }: Visit,
  known: (inode: bigint) => string | undefined,
): Job<Entry> {
  const { type, mode, uid, gid, mtimeNs, size } = stat;
  const names = files.xattrNames(location).sort();
  const values = names.map((name) => [name, files.xattr(location, name) ?? Buffer.alloc(0)] as const);
  return {
    ...{ path, type, mode, uid, gid, mtimeNs },
    ...(type === 'file' ? { size } : {}),
    ...(type === 'file' && !isMostlyHole(stat)
      ? { digest: known(stat.inode) ?? (yield* digestFile(files, location)) }
      : {}),
    ...(type === 'symlink' ? { target: files.readLink(location).toString('latin1') } : {}),
    ...(type === 'char' || type === 'block' ? { rawDevice: stat.rawDevice } : {}),
    xattrs: new Map(values),
  };
}
