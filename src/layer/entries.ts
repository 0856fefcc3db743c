/** The entries of a delta, with a digest of each file: two threads take them where that is worth it. */

import type { DigestThread } from '../host/digest-thread.js';
import { childPath, type Directory, type FilesRead, type Stat } from '../host/files.js';
import type { HostPath } from '../host/native.js';
import type { Entry } from '../model/entry.js';
import { descend, type Job } from '../model/job.js';
import { type Visit, walkLayer } from './delta.js';
import { digestFile } from './digest.js';

/** Of a file with more holes no digest is taken: minutes would go into zeros that are not there. */
const HOLE_MAX_BYTES = 2 ** 30;
/** What could be digested while a file is opened. */
const OPENING_BYTES = 80_000;
/** So much this thread digests before the other one is worth its start. */
const ALONE_BYTES = 2 ** 26;
/** So much of one directory is handed to the other thread at once. */
const BATCH_BYTES = 2 ** 22;
/** So much may lie with the other thread before this one digests too; each keeps a directory open. */
const BATCHES_BEGUN = 8;
/** So many entries may wait for a digest. */
const ENTRIES_WAITING = 10_000;
const WAIT_MS = 20;

export interface EntriesOptions {
  /** So many entries are left out, from the first on. */
  readonly skip: number;
  /** Tells the digest of an inode that was digested before. */
  known(inode: bigint): string | undefined;
  startThread(): DigestThread;
}

/** Tells the entries of a delta that does not change any more, in the order of `walkLayer`; for each step, undefined. */
export function* entriesOf(files: FilesRead, delta: string, options: EntriesOptions): Told {
  using entries = new Entries(files, options);
  let { skip } = options;
  for (const visit of descend(walkLayer(files, delta))) {
    yield;
    if (skip > 0) skip -= 1;
    else yield* entries.take(visit);
  }
  yield* entries.tellAll();
}

type Told = Generator<Entry | undefined, void>;

/** An entry on its way; it waits while its digest is with the other thread. */
type Draft = { -readonly [Key in keyof Entry]: Entry[Key] };

/** Files of one directory, for the other thread. */
interface Batch {
  readonly of: Directory;
  /** That directory, open for longer than the walk has it. */
  readonly directory: Directory;
  readonly paths: HostPath[];
  readonly entries: Draft[];
  bytes: number;
}

class Entries implements Disposable {
  /** In order; those that come first are told first. */
  private drafts: Draft[] = [];
  private readonly waiting = new Set<Draft>();
  private thread: DigestThread | undefined;
  private filled: Batch | undefined;
  private readonly begun: Batch[] = [];
  private bytes = 0;

  constructor(
    private readonly files: FilesRead,
    private readonly options: EntriesOptions,
  ) {}

  [Symbol.dispose](): void {
    this.thread?.[Symbol.dispose]();
    for (const batch of this.begun) batch.directory[Symbol.dispose]();
    this.filled?.directory[Symbol.dispose]();
  }

  *take(visit: Visit): Told {
    if (this.filled?.of !== visit.directory) this.beginFilled();
    const draft: Draft = describe(this.files, visit);
    this.drafts.push(draft);
    if (isDigested(visit.stat)) yield* this.digest(visit, draft);
    yield* this.tellWhole(0);
    if (this.drafts.length > ENTRIES_WAITING) yield* this.tellAll();
  }

  /** Waits for the other thread until nothing is left to be told. */
  *tellAll(): Told {
    this.beginFilled();
    while (this.drafts.length > 0) yield* this.tellWhole(WAIT_MS);
  }

  private *digest(visit: Visit, draft: Draft): Job<void> {
    const known = this.options.known(visit.stat.inode);
    const bytes = visit.stat.size + OPENING_BYTES;
    this.bytes += known === undefined ? bytes : 0;
    if (this.bytes > ALONE_BYTES) this.thread ??= this.options.startThread();
    if (known !== undefined) draft.digest = known;
    else if (!this.handOver(visit, draft, bytes)) draft.digest = yield* digestFile(this.files, visit.location);
  }

  /** Gives a file to the other thread; false where that has enough to do. */
  private handOver({ directory, name }: Visit, draft: Draft, bytes: number): boolean {
    if (this.thread === undefined || this.begun.length >= BATCHES_BEGUN) return false;
    this.filled ??= this.openBatch(directory);
    this.filled.paths.push(childPath(this.filled.directory.path, name));
    this.filled.entries.push(draft);
    this.filled.bytes += bytes;
    this.waiting.add(draft);
    if (this.filled.bytes >= BATCH_BYTES) this.beginFilled();
    return true;
  }

  private openBatch(of: Directory): Batch {
    const directory = this.files.openDirectory(of.path);
    if (directory === undefined) throw new Error(`an open directory is gone: ${of.path}`);
    return { of, directory, paths: [], entries: [], bytes: 0 };
  }

  private beginFilled(): void {
    if (this.filled === undefined) return;
    this.thread?.begin(this.filled.paths);
    this.begun.push(this.filled);
    this.filled = undefined;
  }

  /** Tells the drafts up to the first one that waits, once it has taken what the other thread has finished. */
  private *tellWhole(waitMs: number): Told {
    const digests = this.begun.length === 0 ? undefined : this.thread?.take(waitMs);
    if (digests !== undefined) this.finish(this.begun.shift() as Batch, digests);
    const first = this.drafts.findIndex((draft) => this.waiting.has(draft));
    const whole = this.drafts.splice(0, first < 0 ? this.drafts.length : first);
    yield;
    yield* whole;
  }

  private finish({ directory, entries }: Batch, digests: readonly string[]): void {
    for (const [index, draft] of entries.entries()) {
      draft.digest = digests[index] as string;
      this.waiting.delete(draft);
    }
    directory[Symbol.dispose]();
  }
}

function isDigested({ type, size, allocated }: Stat): boolean {
  return type === 'file' && size - allocated <= HOLE_MAX_BYTES;
}

/** The entry of what lies there, without a digest. */
function describe(files: FilesRead, { path, location, stat }: Visit): Entry {
  const { type, mode, uid, gid, mtimeNs, size } = stat;
  const names = files.xattrNames(location).sort();
  const values = names.map((name) => [name, files.xattr(location, name) ?? Buffer.alloc(0)] as const);
  return {
    ...{ path, type, mode, uid, gid, mtimeNs },
    ...(type === 'file' ? { size } : {}),
    ...(type === 'symlink' ? { target: files.readLink(location).toString('latin1') } : {}),
    ...(type === 'char' || type === 'block' ? { rawDevice: stat.rawDevice } : {}),
    xattrs: new Map(values),
  };
}
