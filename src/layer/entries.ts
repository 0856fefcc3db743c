/** The entries of a delta, with a digest of each file: two threads take them where that is worth it. */

import type { DigestThread } from '../host/digest-thread.js';
import { childPath, type Directory, type FilesRead, isSystemError, type Stat } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { pathToText } from '../model/byte-path.js';
import type { Entry } from '../model/entry.js';
import { type Job, runRecursion } from '../model/job.js';
import { type Place, pathOf } from '../model/place.js';
import { type WalkEntry, walkLayer } from './delta.js';
import { digestFile } from './digest.js';
import { findPath } from './find-path.js';
import type { SharedDigests } from './shared-digests.js';

/** Of a file with more holes no digest is taken: minutes would go into zeros that are not there. */
const HOLE_MAX_BYTES = 2 ** 30;
/** What could be digested while a file is opened. */
const OPENING_BYTES = 80_000;
/** So much one thread digests before another one is worth its start. */
const ALONE_BYTES = 2 ** 26;
/** So much is handed to the other thread at once, of one directory. A larger file comes before its turn, so that none is left over. */
const BATCH_BYTES = 2 ** 22;
/** So much may lie with the other thread before this one digests too. */
const BEGUN_BYTES = 2 ** 25;
/** So many batches may: each keeps directories open. */
const BATCHES_BEGUN = 8;
/** So many entries may wait for a digest. */
const ENTRIES_WAITING = 20_000;
const WAIT_MS = 20;
/** A large file that lies deeper has its turn like any other: to come to it out of turn takes a look at each directory on the way. */
const EARLY_DEPTH_MAX = 64;

export interface EntriesOptions {
  /** So many entries are left out, from the first on. */
  readonly skip: number;
  /** Digests that were taken before. */
  readonly known?: SharedDigests | undefined;
  startThread(): DigestThread;
}

/** An entry, and how many names lead to it: 0 for the root. */
interface Listed {
  readonly depth: number;
  readonly entry: Entry;
}

/** Tells the entries of a delta that does not change any more, in the order of `walkLayer`; for each step, undefined. */
export function* entriesOf(files: FilesRead, delta: string, options: EntriesOptions): Told {
  using entries = new Entries(files, delta, options, yield* survey(files, delta, options));
  let turn = 0;
  for (const visit of runRecursion(walkLayer(files, delta))) {
    yield;
    if (turn >= options.skip) yield* entries.take(visit, turn);
    turn += 1;
  }
  yield* entries.tellAll();
}

type Told = Generator<Listed | undefined, void>;

/** What is to be digested. */
interface Work {
  /** With what it takes to open the files. */
  readonly bytes: number;
  /** The large files, the largest last. */
  readonly large: Large[];
}

interface Large {
  readonly place: Place;
  readonly size: number;
  /** Its number in the walk. */
  readonly turn: number;
}

function* survey(files: FilesRead, delta: string, { skip, known }: EntriesOptions): Job<Work> {
  const large: Large[] = [];
  let bytes = 0;
  let next = 0;
  for (const { place, stat } of runRecursion(walkLayer(files, delta))) {
    yield;
    const turn = next;
    next += 1;
    if (turn < skip || !isDigested(stat) || known?.mayHave(stat)) continue;
    bytes += stat.size + OPENING_BYTES;
    if (stat.size >= BATCH_BYTES && place.depth <= EARLY_DEPTH_MAX) large.push({ place, size: stat.size, turn });
  }
  return { bytes, large: large.sort((a, b) => a.size - b.size) };
}

/** An entry on its way; it waits while its digest is with the other thread. */
interface Draft extends Listed {
  readonly entry: { -readonly [Key in keyof Entry]: Entry[Key] };
}

/** Files that are with the other thread. */
interface Batch {
  /** What keeps their paths open, for longer than the walk does. */
  readonly open: Disposable;
  readonly paths: HostPath[];
  readonly results: Result[];
  bytes: number;
}

/** What becomes of one of them. */
interface Result {
  readonly place: Place;
  digest?: string;
  /** Its entry, once the walk has come to it: a large file is begun before its turn. */
  draft?: Draft;
}

class Entries implements Disposable {
  /** In order; those that come first are told first. */
  private drafts: Draft[] = [];
  private readonly waiting = new Set<Draft>();
  private readonly thread: DigestThread | undefined;
  /** A batch that is not full yet, and the directory that its files are in. */
  private filled: (Batch & { readonly of: Directory; readonly directory: Directory }) | undefined;
  private readonly begun: Batch[] = [];
  private begunBytes = 0;
  /** Of large files, by their turn: those that were begun before it, and those that had it. */
  private readonly early = new Map<number, Result>();

  constructor(
    private readonly files: FilesRead,
    private readonly delta: string,
    private readonly options: EntriesOptions,
    private readonly work: Work,
  ) {
    if (work.bytes > ALONE_BYTES) this.thread = options.startThread();
  }

  [Symbol.dispose](): void {
    this.thread?.[Symbol.dispose]();
    for (const batch of this.begun) batch.open[Symbol.dispose]();
    this.filled?.open[Symbol.dispose]();
  }

  *take(visit: WalkEntry, turn: number): Told {
    if (this.filled?.of !== visit.directory) this.beginFilled();
    this.beginLarge();
    const draft: Draft = { depth: visit.place.depth, entry: describe(this.files, visit) };
    this.drafts.push(draft);
    if (isDigested(visit.stat)) yield* this.digest(visit, turn, draft);
    yield* this.tellWhole(0);
    if (this.drafts.length > ENTRIES_WAITING) yield* this.tellAll();
  }

  /** Waits for the other thread until nothing is left to be told. */
  *tellAll(): Told {
    this.beginFilled();
    while (this.drafts.length > 0) yield* this.tellWhole(WAIT_MS);
  }

  private *digest(visit: WalkEntry, turn: number, draft: Draft): Job<void> {
    const early = this.early.get(turn);
    const known = this.options.known?.find(visit) ?? early?.digest;
    if (known !== undefined) draft.entry.digest = known;
    else if (early !== undefined) this.wait(draft, early);
    else if (!this.handOver(visit, turn, draft)) draft.entry.digest = yield* this.digestHere(visit);
  }

  private *digestHere({ place, location }: WalkEntry): Job<string> {
    try {
      return yield* digestFile(this.files, location);
    } catch (error) {
      throw naming(error, place);
    }
  }

  private wait(draft: Draft, result: Result): void {
    result.draft = draft;
    this.waiting.add(draft);
  }

  /** Gives a file to the other thread; false where that has enough to do. */
  private handOver({ place, directory, stat }: WalkEntry, turn: number, draft: Draft): boolean {
    if (stat.size >= BATCH_BYTES) this.early.set(turn, { place });
    if (!this.hasRoom()) return false;
    this.filled ??= this.openBatch(directory);
    this.filled.paths.push(childPath(this.filled.directory.path, place.name));
    const result: Result = { place };
    this.filled.results.push(result);
    this.filled.bytes += stat.size + OPENING_BYTES;
    this.wait(draft, result);
    if (this.filled.bytes >= BATCH_BYTES) this.beginFilled();
    return true;
  }

  private openBatch(of: Directory): NonNullable<Entries['filled']> {
    const directory = this.files.openDirectory(of.path);
    if (directory === undefined) throw new Error(`an open directory is gone: ${of.path}`);
    return { of, directory, open: directory, paths: [], results: [], bytes: 0 };
  }

  private beginFilled(): void {
    if (this.filled !== undefined) this.begin(this.filled);
    this.filled = undefined;
  }

  /** Gives the other thread the largest files that are left, as long as it has not enough to do. */
  private beginLarge(): void {
    while (this.hasRoom()) {
      const large = this.work.large.pop();
      if (large === undefined) return;
      if (this.early.has(large.turn)) continue;
      const found = findPath(this.files, [this.delta], pathOf(large.place));
      if (found === undefined) throw new Error(`a file of a version is gone: ${pathOf(large.place)}`);
      const result: Result = { place: large.place };
      this.early.set(large.turn, result);
      this.begin({ open: found, paths: [found.entry.location], results: [result], bytes: found.entry.stat.size });
    }
  }

  /** True where there is another thread, and it has not enough to do. */
  private hasRoom(): boolean {
    return this.thread !== undefined && this.begun.length < BATCHES_BEGUN && this.begunBytes < BEGUN_BYTES;
  }

  private begin(batch: Batch): void {
    this.thread?.begin(batch.paths);
    this.begun.push(batch);
    this.begunBytes += batch.bytes;
  }

  /** Tells the drafts up to the first one that waits, once it has taken what the other thread has finished. */
  private *tellWhole(waitMs: number): Told {
    const digests = this.begun.length === 0 ? undefined : this.takeDigests(waitMs);
    if (digests !== undefined) this.finish(this.begun.shift() as Batch, digests);
    const first = this.drafts.findIndex((draft) => this.waiting.has(draft));
    const whole = this.drafts.splice(0, first < 0 ? this.drafts.length : first);
    yield;
    yield* whole;
  }

  private takeDigests(waitMs: number): readonly string[] | undefined {
    try {
      return this.thread?.take(waitMs);
    } catch (error) {
      const { index = 0 } = error as { index?: number };
      const place = this.begun[0]?.results[index]?.place;
      throw place === undefined ? error : naming(error, place);
    }
  }

  private finish({ open, results, bytes }: Batch, digests: readonly string[]): void {
    for (const [index, result] of results.entries()) {
      result.digest = digests[index] as string;
      if (result.draft === undefined) continue;
      result.draft.entry.digest = result.digest;
      this.waiting.delete(result.draft);
    }
    this.begunBytes -= bytes;
    open[Symbol.dispose]();
  }
}

/** The system names no file that was open already. */
function naming(error: unknown, place: Place): unknown {
  if (error instanceof Error && isSystemError(error)) error.message += `, in /${pathToText(pathOf(place))}`;
  return error;
}

function isDigested({ type, size, allocated }: Stat): boolean {
  return type === 'file' && size - allocated <= HOLE_MAX_BYTES;
}

/** The entry of what lies there, without a digest. */
function describe(files: FilesRead, { place, location, stat }: WalkEntry): Entry {
  const { type, mode, uid, gid, mtimeNs, size } = stat;
  const names = files.xattrNames(location).sort();
  const values = names.map((name) => [name, files.xattr(location, name) ?? Buffer.alloc(0)] as const);
  return {
    name: place.name,
    type,
    mode,
    uid,
    gid,
    mtimeNs,
    ...(type === 'file' ? { size } : {}),
    ...(type === 'symlink' ? { target: files.readLink(location).toString('latin1') } : {}),
    ...(type === 'char' || type === 'block' ? { rawDevice: stat.rawDevice } : {}),
    xattrs: new Map(values),
  };
}
