/** The store of an lxcpath: found, made, and its repositories opened for reading or, locked, for a change. */

import { isSystemError, unlessGone } from '../host/files.js';
import { type Host, isErrno } from '../host/host.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import { parseVersioned } from '../model/manifest.js';
import { isRepositoryName } from '../model/names.js';
import type { RepositoryName } from '../model/version.js';
import { RepositoryLayout, storeFile, storeRoot } from './layout.js';
import { type Pending, readPending } from './operation-log.js';
import { finishRestarts, hasRestarts } from './restarts.js';
import { recover } from './transaction.js';

const STORE_FORMAT = 1;
/** What the store's file is called before it is there. */
const STAGED_STORE = '.store-';
/** How long a command waits for another one on the same repository: most last some milliseconds. */
const LOCK_WAIT_MS = 5000;
const LOCK_POLL_MS = 20;
/** How long a reader waits for an operation that is past its commit point: what a version of a million files changes is counted then. */
const SETTLE_WAIT_MS = 60_000;

/** The names of the repositories that a store holds, sorted. @throws LxcvError `store-newer`, `store-damaged`. */
export function listRepositories(host: Host, lxcpath: string): RepositoryName[] {
  const root = storeRoot(lxcpath);
  if (!readStore(host, root)) return [];
  return host.files
    .list(root)
    .filter(isRepositoryName)
    .filter((name) => host.files.stat(`${root}/${name}`)?.type === 'directory')
    .sort() as string[] as RepositoryName[];
}

/**
 * A repository for reading. What an earlier process left pending is finished first, unless another one is at work on it.
 * @returns undefined where there is none.
 * @throws LxcvError `repository-locked` where that takes longer than a minute.
 */
export function openRepository(host: Host, lxcpath: string, name: RepositoryName): RepositoryLayout | undefined {
  const layout = new RepositoryLayout(storeRoot(lxcpath), name);
  if (!readStore(host, layout.storeRoot)) return undefined;
  // What is pending may be its first operation, of which little more than the log is on the disk after a power cut.
  settle(host, layout);
  if (hasRestarts(host, layout)) restartNow(host, layout);
  return host.files.stat(layout.versions) === undefined ? undefined : layout;
}

/**
 * Locks a repository for a change, and makes it and the store where they are missing. The lock ends with its disposal or with
 * the process. What an earlier process left pending is finished before this returns.
 * @throws LxcvError `repository-locked`.
 */
export async function lockRepository(
  host: Host,
  lxcpath: string,
  name: RepositoryName,
  purpose: string,
): Promise<RepositoryLayout & Disposable> {
  const layout = new RepositoryLayout(storeRoot(lxcpath), name);
  createStore(host, layout.storeRoot);
  makeDirectory(host, layout.root);
  const release = await waitForLock(host, layout, purpose);
  try {
    recover(host, layout.operations);
    finishRestarts(host, layout);
    for (const path of [
      layout.versions,
      `${layout.root}/refs`,
      layout.branches,
      layout.tags,
      layout.guards,
      layout.empty,
    ]) {
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
    const lock = host.takeLock(layout.lock, holder);
    if (lock.held) return lock;
    if (waited >= LOCK_WAIT_MS) throw locked(layout, lock.holder);
    host.signals.check();
    await host.sleep(LOCK_POLL_MS);
  }
}

/**
 * Finishes an operation that a process left pending. One that may be past its commit point, and is still being carried on, is
 * waited for. A store that cannot be written to is read as it is.
 */
function settle(host: Host, layout: RepositoryLayout): void {
  for (let waited = 0; ; waited += LOCK_POLL_MS) {
    const pending = readPending(host.files, layout.operations);
    if (pending === undefined) return;
    const holder = settleNow(host, layout, pending);
    if (holder === undefined || pending.last.state === 'begin') return;
    if (waited >= SETTLE_WAIT_MS) throw locked(layout, holder);
    host.pause(LOCK_POLL_MS);
  }
}

/** @returns what another process says that it holds the lock for, if one does. */
function settleNow(host: Host, layout: RepositoryLayout, { last }: Pending): string | undefined {
  try {
    const lock = host.takeLock(layout.lock, 'recovery');
    if (!lock.held) return lock.holder;
    using _ = lock;
    recover(host, layout.operations);
  } catch (error) {
    if (last.state === 'ready' && isErrno(error, 'ENOSPC', 'EDQUOT')) throw unfinished(layout, error as Error);
    if (!isErrno(error, 'EROFS', 'ENOSPC', 'EDQUOT')) throw error;
  }
  return undefined;
}

/** Starts what was stopped for an operation, unless one is at work, or nothing can be written. */
function restartNow(host: Host, layout: RepositoryLayout): void {
  try {
    const lock = host.takeLock(layout.lock, 'recovery');
    if (!lock.held) return;
    using _ = lock;
    finishRestarts(host, layout);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

function unfinished({ name, root }: RepositoryLayout, cause: Error): LxcvError {
  return new LxcvError(
    'no-space',
    `an operation on the repository ${name} is done, and there is no room to finish it: ${cause.message}`,
    `Nothing is lost. Free some space on the file system of ${root}, and run any lxcv command.`,
    { cause },
  );
}

/** True where an operation is neither done nor taken back, and no process is at work on it. */
export function isLeftPending(host: Host, layout: RepositoryLayout): boolean {
  const isPending = () => readPending(host.files, layout.operations) !== undefined;
  if (!isPending()) return false;
  try {
    const lock = host.takeLock(layout.lock, 'looking');
    if (!lock.held) return false;
    using _ = lock;
    return isPending();
  } catch (error) {
    if (!isErrno(error, 'EROFS', 'ENOSPC', 'EDQUOT')) throw error;
    return true;
  }
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
  const bytes = host.files.readIfPresent(storeFile(root));
  if (bytes === undefined) return false;
  parseVersioned(bytes, STORE_FORMAT, storeFile(root));
  return true;
}

function createStore(host: Host, root: string): void {
  makeDirectory(host, root);
  if (readStore(host, root)) return;
  const { files } = host;
  const staged = `${root}/${STAGED_STORE}${newId(host.randomBytes)}`;
  try {
    files.create(staged, `${JSON.stringify({ format: STORE_FORMAT, id: newId(host.randomBytes) })}\n`, 0o600);
    files.sync(staged);
    files.rename(staged, storeFile(root));
    // The store may be a symbolic link, to where there is room for it.
    files.sync(`${root}/.`);
    for (const name of files.list(root).filter((each) => each.startsWith(STAGED_STORE))) {
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
