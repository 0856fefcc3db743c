/** The store of an lxcpath: found, made, and its repositories opened for reading or, locked, for a change. */

import { basename } from 'node:path';
import { isSystemError, unlessGone } from '../host/files.js';
import { type Host, isErrno } from '../host/host.js';
import type { Lock } from '../host/lock.js';
import type { EntryType } from '../model/entry.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import { parseVersioned } from '../model/manifest.js';
import { isRepositoryName } from '../model/names.js';
import type { RepositoryName } from '../model/version.js';
import { isStagedStoreFile, RepositoryLayout, stagedStoreFile, storeFile, storeRoot } from './layout.js';
import { type Pending, readPending } from './operation-log.js';
import { checkOwned } from './ownership.js';
import { finishRestarts, hasRestarts } from './restarts.js';
import { describe, isThere, readStoreFile } from './store-file.js';
import { hasPassed, recover } from './transaction.js';
import { isObstacle, toldUnfinished, type Unfinished } from './unfinished.js';

const STORE_FORMAT = 1;
/** How long a command waits for another one on the same repository: most last some milliseconds. */
const LOCK_WAIT_MS = 5000;
const LOCK_POLL_MS = 20;
/** How long a reader waits for an operation that is past its commit point: what a version of a million files changes is counted then. */
const SETTLE_WAIT_MS = 60_000;
/** After so long a user is told what is waited for. */
const TELL_AFTER_MS = 1000;

/** The names of the repositories that a store holds, sorted. @throws LxcvError `store-newer`, `store-damaged`. */
export function listRepositories(host: Host, lxcpath: string): RepositoryName[] {
  return namesIn(host, storeRoot(host.files, lxcpath), (type) => type === 'directory');
}

/** The names in a store of what is neither a repository nor the store's file: something else is in the place of a repository. */
export function listMisplaced(host: Host, lxcpath: string): RepositoryName[] {
  const root = storeRoot(host.files, lxcpath);
  const own = basename(storeFile(root));
  return namesIn(host, root, (type) => type !== 'directory').filter((name) => name !== own);
}

function namesIn(host: Host, root: string, isMeant: (type: EntryType) => boolean): RepositoryName[] {
  const { files } = host;
  const place = `${root}/.`;
  if (!readStore(host, root) || !isThere(files, place, 'directory')) return [];
  const names = [...files.listTyped(place)].flatMap(([name, type]) => (isMeant(type) ? [name] : []));
  return names.filter(isRepositoryName).sort() as string[] as RepositoryName[];
}

/** A repository that is open for reading. */
export interface OpenRepository {
  readonly layout: RepositoryLayout;
  /** An operation that was left pending, and can be neither finished nor rolled back for now: it is to be read around. */
  readonly unfinished: Unfinished | undefined;
}

/** Thrown by `openRepository` for an operation that is pending, and that nobody has looked after yet: see `settle`. */
export class Unsettled extends Error {
  constructor(
    readonly layout: RepositoryLayout,
    readonly pending: Pending,
  ) {
    super(`an operation on ${layout.name} is pending`);
  }
}

/** What came of looking after what was pending, by its log. */
export type RecoveredOperations = Map<string, Settled>;

interface Settled {
  readonly operation: string;
  readonly state: Pending['last']['state'];
  /** Where it can be neither finished nor rolled back. */
  readonly unfinished: Unfinished | undefined;
}

/**
 * A repository for reading.
 * @param settled what was pending, and has been looked after.
 * @param store its root, where that was looked at already, as it is by `listRepositories`.
 * @returns undefined where there is none.
 * @throws Unsettled; LxcvError `store-newer`, `store-damaged`.
 */
export function openRepository(
  host: Host,
  lxcpath: string,
  name: RepositoryName,
  settled: ReadonlyMap<string, Settled>,
  store?: string,
): OpenRepository | undefined {
  const layout = new RepositoryLayout(store ?? storeRoot(host.files, lxcpath), name);
  if (store === undefined && !readStore(host, layout.storeRoot)) return undefined;
  if (!isRepositoryThere(host, layout)) return undefined;
  // What is pending may be its first operation, of which little more than the log is on the disk after a power cut.
  const pending = readPendingOf(host, layout);
  const known = settled.get(layout.operations);
  if (pending !== undefined && !isOf(pending, known)) throw new Unsettled(layout, pending);
  const unfinished = pending === undefined ? undefined : known?.unfinished;
  if (unfinished === undefined && hasRestarts(host, layout)) restartNow(host, layout);
  return isThere(host.files, layout.versions, 'directory') ? { layout, unfinished } : undefined;
}

/** @throws LxcvError `store-damaged` where something else is in its place: lxcv made none such, and no backup has it. */
function isRepositoryThere({ files }: Host, { root }: RepositoryLayout): boolean {
  const stat = files.stat(root);
  if (stat === undefined) return false;
  checkOwned(files, root, stat);
  if (stat.type === 'directory') return true;
  throw new LxcvError('store-damaged', `${root} is ${describe(stat)}, and no repository`, 'Move it away.');
}

function isOf({ operation, last }: Pending, settled: Settled | undefined): boolean {
  return settled?.operation === operation.operation && settled.state === last.state;
}

/**
 * Locks a repository for a change, and makes it and the store where they are missing. The lock ends with its disposal or with
 * the process. What an earlier process left pending is finished before this returns.
 * @throws LxcvError `repository-locked`, `operation-pending` where that cannot be finished.
 */
export async function lockRepository(
  host: Host,
  lxcpath: string,
  name: RepositoryName,
  purpose: string,
): Promise<RepositoryLayout & Disposable> {
  const layout = new RepositoryLayout(storeRoot(host.files, lxcpath), name);
  createStore(host, layout.storeRoot);
  makeDirectory(host, layout.root);
  isRepositoryThere(host, layout);
  const release = await waitForLock(host, layout, purpose).catch((error) => {
    // A store that is read-only, say: what waits there for the same reason is told.
    throw isSystemError(error) ? toldPending(host, layout, readPendingOf(host, layout), error) : error;
  });
  try {
    await recoverOrTell(host, layout);
    finishRestarts(host, layout);
    for (const path of [layout.versions, layout.refs, layout.branches, layout.tags, layout.guards, layout.empty]) {
      makeDirectory(host, path);
    }
  } catch (error) {
    release[Symbol.dispose]();
    throw error;
  }
  return Object.assign(layout, { [Symbol.dispose]: () => release[Symbol.dispose]() });
}

async function waitForLock(host: Host, layout: RepositoryLayout, purpose: string): Promise<Disposable> {
  const holder = `${purpose} (process ${process.pid})`;
  for (let waited = 0; ; waited += LOCK_POLL_MS) {
    const lock = takeLock(host, layout, holder);
    if (lock.held) return lock;
    if (waited >= LOCK_WAIT_MS) throw locked(layout, lock.holder);
    host.signals.check();
    await host.sleep(LOCK_POLL_MS);
  }
}

/** @throws LxcvError `store-damaged` where the lock is no file. */
function takeLock(host: Host, { lock }: RepositoryLayout, holder: string): Lock {
  isThere(host.files, lock, 'file');
  return host.takeLock(lock, holder);
}

/**
 * Looks after an operation that is pending: finishes or rolls back what a process left; waits for one that may be past its commit
 * point, and is still being carried on; and leaves one alone that has only begun.
 * @param waiting is told, once, what another process says that it does, where that takes a second.
 * @throws LxcvError `repository-locked` where it takes longer than a minute, `interrupted`.
 */
export async function recoverPending(
  host: Host,
  { layout, pending: first }: Unsettled,
  settled: RecoveredOperations,
  waiting: (holder: string) => void,
): Promise<void> {
  let pending: Pending | undefined = first;
  for (let waited = 0; pending !== undefined; waited += LOCK_POLL_MS) {
    const { holder, unfinished } = await settleNow(host, layout, pending);
    if (holder === undefined) pending = readPendingOf(host, layout);
    if (holder === undefined || pending?.last.state === 'begin') {
      if (pending !== undefined) {
        const { operation, last } = pending;
        settled.set(layout.operations, { operation: operation.operation, state: last.state, unfinished });
      }
      return;
    }
    if (waited >= SETTLE_WAIT_MS) throw locked(layout, holder);
    if (waited === TELL_AFTER_MS) waiting(holder);
    host.signals.check();
    await host.sleep(LOCK_POLL_MS);
    pending = readPendingOf(host, layout);
  }
}

/** What came of a try. */
interface Outcome {
  /** What another process says that it holds the lock for, if one does. */
  readonly holder?: string;
  readonly unfinished?: Unfinished;
}

async function settleNow(host: Host, layout: RepositoryLayout, pending: Pending): Promise<Outcome> {
  try {
    const lock = takeLock(host, layout, 'recovery');
    if (!lock.held) return { holder: lock.holder };
    using _ = lock;
    await recover(host, layout.operations);
    return {};
  } catch (error) {
    if (!isObstacle(error)) throw error;
    return { unfinished: unfinishedBecause(host, pending, error) };
  }
}

/** Starts what was stopped for an operation, unless one is at work, or nothing can be written. */
function restartNow(host: Host, layout: RepositoryLayout): void {
  try {
    const lock = takeLock(host, layout, 'recovery');
    if (!lock.held) return;
    using _ = lock;
    finishRestarts(host, layout);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** The caller holds the lock. @throws LxcvError `operation-pending` where what is pending cannot be finished. */
async function recoverOrTell(host: Host, layout: RepositoryLayout): Promise<void> {
  const pending = readPendingOf(host, layout);
  try {
    await recover(host, layout.operations);
  } catch (error) {
    throw isObstacle(error) ? toldPending(host, layout, pending, error) : error;
  }
}

/** The error itself where nothing is pending. */
function toldPending(host: Host, layout: RepositoryLayout, pending: Pending | undefined, error: Error): Error {
  return pending === undefined ? error : toldUnfinished(layout, unfinishedBecause(host, pending, error));
}

function readPendingOf({ files }: Host, { operations }: RepositoryLayout): Pending | undefined {
  return isThere(files, operations, 'file') ? readPending(files, operations) : undefined;
}

function unfinishedBecause({ files }: Host, pending: Pending, cause: Error): Unfinished {
  return { operation: pending.operation, isDone: hasPassed(files, pending), cause };
}

function locked({ name }: RepositoryLayout, holder: string): LxcvError {
  return new LxcvError(
    'repository-locked',
    `another lxcv is at work on the repository ${name}: ${holder || 'it does not say what'}`,
    'Wait for it to end and try again. Nothing was changed.',
  );
}

/** True where there is a store. @throws LxcvError `store-newer`, `store-damaged`. */
function readStore(host: Host, root: string): boolean {
  const bytes = readStoreFile(host.files, storeFile(root));
  if (bytes === undefined) return false;
  parseVersioned(bytes, STORE_FORMAT, storeFile(root));
  return true;
}

/** Where there is none yet. */
export function createStore(host: Host, root: string): void {
  makeDirectory(host, root);
  if (readStore(host, root)) return;
  const { files } = host;
  const staged = stagedStoreFile(root, newId(host.randomBytes));
  try {
    files.create(staged, `${JSON.stringify({ format: STORE_FORMAT, id: newId(host.randomBytes) })}\n`, 0o600);
    files.sync(staged);
    files.rename(staged, storeFile(root));
    // The store may be a symbolic link, to where there is room for it.
    files.sync(`${root}/.`);
    for (const name of files.list(root).filter(isStagedStoreFile)) {
      unlessGone(undefined, () => files.unlink(`${root}/${name}`));
    }
  } catch (error) {
    // Another process made the store, and cleared this one's file away.
    if (!isErrno(error, 'ENOENT') || !readStore(host, root)) throw error;
  }
}

function makeDirectory(host: Host, path: string): void {
  try {
    host.files.mkdir(path, 0o700);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}
