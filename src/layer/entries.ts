/** The entries of a delta, with a digest of each file. */

import type { DigestThread } from '../host/digest-thread.js';
import type { FilesRead, Stat } from '../host/files.js';
import type { Entry } from '../model/entry.js';
import { type Job, runRecursion } from '../model/job.js';
import { type WalkEntry, walkLayer } from './delta.js';
import { DigestPlan, DigestQueue, type PendingDigest } from './digest-queue.js';
import type { SharedDigests } from './shared-digests.js';

/** A file with more holes gets no digest: it would take minutes to hash zeros that are not on disk. */
const HOLE_MAX_BYTES = 2 ** 30;
/** The walk waits for digests when so many entries have none yet. */
const ENTRIES_WAITING_MAX = 20_000;
const WAIT_MS = 20;

export interface EntriesOptions {
  /** How many entries of the walk are left out, from the first on. */
  readonly skip: number;
  /** Digests that were taken before. */
  readonly known?: SharedDigests | undefined;
  startThread(): DigestThread;
}

interface ListedEntry {
  /** How many names lead to the entry: 0 for the root. */
  readonly depth: number;
  readonly entry: Entry;
}

/** An entry that may still wait for its digest. */
interface PendingEntry extends ListedEntry {
  readonly entry: Entry & { digest?: string | undefined };
  /** undefined for what has none. */
  readonly digest: PendingDigest | undefined;
}

/** The entries of a delta that does not change any more, in the order of `walkLayer`; undefined is a place to yield. */
export function* entriesOf(
  files: FilesRead,
  delta: string,
  options: EntriesOptions,
): Generator<ListedEntry | undefined, void> {
  const plan = yield* planDigests(files, delta, options);
  using digests = new DigestQueue(files, delta, plan, options.startThread);
  const pending: PendingEntry[] = [];
  let turn = -1;
  for (const found of runRecursion(walkLayer(files, delta))) {
    yield;
    turn += 1;
    if (turn < options.skip) continue;
    digests.moveTo(found.directory);
    const entry = readEntry(files, found);
    const digest = isDigested(found.stat) ? yield* digestOf(found, turn, digests, options.known) : undefined;
    pending.push({ depth: found.place.depth, entry, digest });
    yield* takeReady(pending, digests, 0);
    if (pending.length > ENTRIES_WAITING_MAX) yield* takeAll(pending, digests);
  }
  yield* takeAll(pending, digests);
}

/** Walks the delta once before, to see how much there is to digest. */
function* planDigests(files: FilesRead, delta: string, { skip, known }: EntriesOptions): Job<DigestPlan> {
  const plan = new DigestPlan();
  let turn = -1;
  for (const found of runRecursion(walkLayer(files, delta))) {
    yield;
    turn += 1;
    if (turn >= skip && isDigested(found.stat) && !known?.mayHave(found.stat)) plan.add(found, turn);
  }
  return plan;
}

function* digestOf(
  found: WalkEntry,
  turn: number,
  digests: DigestQueue,
  known: SharedDigests | undefined,
): Job<PendingDigest> {
  const value = known?.find(found);
  return value === undefined ? yield* digests.add(found, turn) : { value };
}

/** Takes the entries before the first one that waits for a digest. */
function* takeReady(
  pending: PendingEntry[],
  digests: DigestQueue,
  waitMs: number,
): Generator<ListedEntry | undefined, void> {
  digests.collect(waitMs);
  const waiting = pending.findIndex(({ digest }) => digest !== undefined && digest.value === undefined);
  const ready = pending.splice(0, waiting < 0 ? pending.length : waiting);
  yield;
  for (const one of ready) {
    // A copy with a digest would take a fifth longer, for a delta of which most digests are known.
    one.entry.digest = one.digest?.value;
    yield one;
  }
}

function* takeAll(pending: PendingEntry[], digests: DigestQueue): Generator<ListedEntry | undefined, void> {
  digests.flush();
  while (pending.length > 0) yield* takeReady(pending, digests, WAIT_MS);
}

function isDigested({ type, size, allocated }: Stat): boolean {
  return type === 'file' && size - allocated <= HOLE_MAX_BYTES;
}

/** The entry of a path, without a digest. */
function readEntry(files: FilesRead, { place, location, stat }: WalkEntry): Entry {
  const { type, mode, uid, gid, mtimeNs, size, rawDevice } = stat;
  const names = files.xattrNames(location).sort();
  return {
    name: place.name,
    type,
    mode,
    uid,
    gid,
    mtimeNs,
    size: type === 'file' ? size : undefined,
    target: type === 'symlink' ? files.readLink(location).toString('latin1') : undefined,
    rawDevice: type === 'char' || type === 'block' ? rawDevice : undefined,
    xattrs: new Map(names.map((name) => [name, files.xattr(location, name) ?? Buffer.alloc(0)])),
  };
}
