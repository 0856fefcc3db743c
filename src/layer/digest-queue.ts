/**
 * Takes the digests of the files that a walk meets: two threads share them where there is enough to read.
 *
 * Calling sequence: all the files are added to a `DigestPlan` first. Then the walk calls `moveTo` for each entry and `add` for each file, and
 * reads the digests, which `collect` fills in. `flush` comes before waiting for the last of them.
 *
 * The second thread gets the files of one directory in batches, and the large files of the whole walk early, the largest first, so that
 * the walk does not end with one of them left over. Each batch keeps what its files lie in open until their digests are taken.
 */

import type { DigestThread } from '../host/digest-thread.js';
import { childPath, type Directory, type FilesRead, isSystemError } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { pathToText } from '../model/byte-path.js';
import type { Job } from '../model/job.js';
import { type Place, pathOf } from '../model/place.js';
import type { WalkEntry } from './delta.js';
import { digestFile } from './digest.js';
import { findPath } from './find-path.js';

/** Opening a file takes as long as digesting so many bytes. */
const OPENING_BYTES = 80_000;
/** The second thread is started when there is more to digest than this. */
const ONE_THREAD_BYTES = 2 ** 26;
/** The size of a batch. A file of this size or more is a batch of its own and may be started early. */
const BATCH_BYTES = 2 ** 22;
/** When the second thread has so many bytes or batches to do, the walk's own thread digests too. */
const QUEUED_BYTES_MAX = 2 ** 25;
const QUEUED_BATCHES_MAX = 8;
/** A large file that lies deeper is not started early: to reach it out of turn, each directory on the way must be opened. */
const EARLY_DEPTH_MAX = 64;

/** The digest of a file, 64 hex digits; undefined until it is taken. */
export interface PendingDigest {
  readonly value: string | undefined;
}

interface Result {
  readonly place: Place;
  value: string | undefined;
}

interface LargeFile {
  readonly place: Place;
  readonly size: number;
  readonly turn: number;
}

/** The files that a walk will add: how much there is to digest, and which of them are large. */
export class DigestPlan {
  bytes = 0;
  private readonly large: LargeFile[] = [];

  /** @param turn the number of the entry in the walk. */
  add({ place, stat: { size } }: WalkEntry, turn: number): void {
    this.bytes += size + OPENING_BYTES;
    if (size >= BATCH_BYTES && place.depth <= EARLY_DEPTH_MAX) this.large.push({ place, size, turn });
  }

  /** The largest last. */
  largeFiles(): LargeFile[] {
    return [...this.large].sort((a, b) => a.size - b.size);
  }
}

/** Files that the second thread gets at once. */
interface Batch {
  /** Keeps the paths reachable, for longer than the walk does. */
  readonly open: Disposable;
  readonly paths: HostPath[];
  readonly results: Result[];
  bytes: number;
}

/** A batch that still grows. */
interface DirectoryBatch extends Batch {
  readonly open: Directory;
  /** The walk's own handle of the directory. */
  readonly directory: Directory;
}

export class DigestQueue implements Disposable {
  private readonly thread: DigestThread | undefined;
  private readonly large: LargeFile[];
  private filling: DirectoryBatch | undefined;
  /** What the second thread has not answered, in its order. */
  private readonly queued: Batch[] = [];
  private queuedBytes = 0;
  /** Large files that were started early, by their turn; undefined for one that the walk came to first. */
  private readonly early = new Map<number, Result | undefined>();

  constructor(
    private readonly files: FilesRead,
    private readonly delta: string,
    plan: DigestPlan,
    startThread: () => DigestThread,
  ) {
    this.large = plan.largeFiles();
    if (plan.bytes > ONE_THREAD_BYTES) this.thread = startThread();
  }

  [Symbol.dispose](): void {
    this.thread?.[Symbol.dispose]();
    for (const batch of this.queued) batch.open[Symbol.dispose]();
    this.filling?.open[Symbol.dispose]();
  }

  /** The walk is in this directory now: queues the batch of another one, and large files while there is room. */
  moveTo(directory: Directory): void {
    if (this.filling?.directory !== directory) this.flush();
    while (this.hasRoom()) {
      const large = this.large.pop();
      if (large === undefined) return;
      if (!this.early.has(large.turn)) this.startEarly(large);
    }
  }

  /** Queues a file of the directory that the walk is in, or digests it at once where the second thread has enough to do. */
  *add(entry: WalkEntry, turn: number): Job<PendingDigest> {
    const early = this.early.get(turn);
    if (early !== undefined) return early;
    if (entry.stat.size >= BATCH_BYTES) this.early.set(turn, undefined);
    return this.hasRoom() ? this.putInBatch(entry) : { value: yield* this.digestHere(entry) };
  }

  /** Queues the batch that is being filled. */
  flush(): void {
    if (this.filling !== undefined) this.queue(this.filling);
    this.filling = undefined;
  }

  /** Fills in the digests of the batch that was queued first, if they are there within `waitMs`. */
  collect(waitMs: number): void {
    const [first] = this.queued;
    if (first === undefined) return;
    const digests = this.takeDigests(first, waitMs);
    if (digests === undefined) return;
    for (const [index, result] of first.results.entries()) result.value = digests[index] as string;
    this.queued.shift();
    this.queuedBytes -= first.bytes;
    first.open[Symbol.dispose]();
  }

  private hasRoom(): boolean {
    return this.thread !== undefined && this.queued.length < QUEUED_BATCHES_MAX && this.queuedBytes < QUEUED_BYTES_MAX;
  }

  private startEarly({ place, turn }: LargeFile): void {
    const found = findPath(this.files, [this.delta], pathOf(place));
    if (found === undefined) throw new Error(`a file of a version is gone: ${pathOf(place)}`);
    const result: Result = { place, value: undefined };
    this.early.set(turn, result);
    this.queue({ open: found, paths: [found.entry.location], results: [result], bytes: found.entry.stat.size });
  }

  private putInBatch({ place, directory, stat }: WalkEntry): PendingDigest {
    this.filling ??= this.openBatch(directory);
    const result: Result = { place, value: undefined };
    this.filling.paths.push(childPath(this.filling.open.path, place.name));
    this.filling.results.push(result);
    this.filling.bytes += stat.size + OPENING_BYTES;
    if (this.filling.bytes >= BATCH_BYTES) this.flush();
    return result;
  }

  private openBatch(directory: Directory): DirectoryBatch {
    const open = this.files.openDirectory(directory.path);
    if (open === undefined) throw new Error(`an open directory is gone: ${directory.path}`);
    return { directory, open, paths: [], results: [], bytes: 0 };
  }

  private queue(batch: Batch): void {
    this.thread?.begin(batch.paths);
    this.queued.push(batch);
    this.queuedBytes += batch.bytes;
  }

  private takeDigests({ results }: Batch, waitMs: number): readonly string[] | undefined {
    try {
      return this.thread?.take(waitMs);
    } catch (error) {
      const { index = 0 } = error as { index?: number };
      const place = results[index]?.place;
      throw place === undefined ? error : naming(error, place);
    }
  }

  private *digestHere({ place, location }: WalkEntry): Job<string> {
    try {
      return yield* digestFile(this.files, location);
    } catch (error) {
      throw naming(error, place);
    }
  }
}

/** The system does not name a file that was open already. */
function naming(error: unknown, place: Place): unknown {
  if (error instanceof Error && isSystemError(error)) error.message += `, in /${pathToText(pathOf(place))}`;
  return error;
}
