/**
 * Containers that lxcv stops, and is to start again. Each is marked in its repository, durably and before it is stopped, until it
 * runs again: so whatever ends lxcv in between, the next command starts it. One that cannot be started is tried once; its mark then
 * tells why, until somebody has started it. The caller holds the repository's lock.
 */

import { type Files, type FilesRead, tolerate } from '../host/files.js';
import type { Host } from '../host/host.js';
import { LxcvError } from '../model/errors.js';
import { isRepositoryName } from '../model/names.js';
import type { NotStarted } from '../model/results.js';
import type { ContainerName } from '../model/version.js';
import { type RepositoryLayout, stagedFor } from './layout.js';
import { ContainerLayout } from './lxc-layout.js';
import { replaceFile } from './steps.js';
import { listStoreDirectory, readStoreFile } from './store-file.js';

/** LXC gives a container a minute to stop, and then kills it: what has not stopped by then will not. */
const STOPPING_MS = 120_000;

interface Mark {
  /** The run of the container that was to be stopped: see `Lxc.monitorOf`. */
  readonly monitor: string | null;
  readonly time: string;
  /** Why it could not be started. */
  readonly reason?: string;
}

export function markRestart({ files, lxc, now }: Host, repository: RepositoryLayout, container: ContainerName): void {
  const { root, restarting, lxcpath } = placesOf(repository);
  const monitor = lxc.monitorOf(lxcpath, container) ?? null;
  tolerate(['EEXIST'], () => files.mkdir(restarting, 0o700));
  writeMark(files, repository, container, { monitor, time: now().toISOString() });
  files.sync(root);
}

export function clearRestart({ files }: Host, repository: RepositoryLayout, container: ContainerName): void {
  const mark = repository.restart(container);
  // A crash may have left a file that was to take its place.
  for (const path of [mark, stagedFor(mark)]) tolerate(['ENOENT', 'EISDIR'], () => files.unlink(path));
  tolerate(['ENOENT', 'ENOTEMPTY'], () => files.rmdir(repository.restarting));
}

export function failRestart(
  { files, now }: Host,
  repository: RepositoryLayout,
  container: ContainerName,
  cause: unknown,
): void {
  const reason = cause instanceof Error ? cause.message : String(cause);
  writeMark(files, repository, container, { monitor: null, time: now().toISOString(), reason });
}

/** In the place of one that is there: no crash loses both. */
function writeMark(files: Files, repository: RepositoryLayout, container: ContainerName, mark: Mark): void {
  replaceFile(files, repository.restart(container), `${JSON.stringify(mark)}\n`, 0o600);
}

/** Those of a repository that could not be started, by name. @throws LxcvError `unsafe-owner`. */
export function readNotStarted(host: Pick<Host, 'files'>, repository: RepositoryLayout): NotStarted[] {
  return readMarks(host, repository).flatMap(({ name, mark: { reason } }) =>
    reason === undefined ? [] : [{ name, reason }],
  );
}

/** Whether there is anything to finish: for readers, who have no lock. */
export function hasRestarts({ files }: Pick<Host, 'files'>, { restarting }: RepositoryLayout): boolean {
  return files.stat(restarting)?.type === 'directory';
}

/** Starts what an earlier process stopped, and did not come to start again. */
export function finishRestarts(host: Host, repository: RepositoryLayout): void {
  if (!hasRestarts(host, repository)) return;
  const { lxcpath } = placesOf(repository);
  for (const { name, mark } of readMarks(host, repository)) {
    const isThere = host.files.stat(new ContainerLayout(lxcpath, name).config) !== undefined;
    const monitor = host.lxc.monitorOf(lxcpath, name);
    if (!isThere || (monitor !== undefined && !isStopping(host, mark, monitor))) clearRestart(host, repository, name);
    else if (monitor === undefined && mark.reason === undefined) startNow(host, repository, name);
  }
}

function startNow(host: Host, repository: RepositoryLayout, name: ContainerName): void {
  const { lxcpath } = placesOf(repository);
  try {
    host.lxc.startNow(lxcpath, name);
  } catch (error) {
    // What was killed may have been about to start it.
    if (host.lxc.monitorOf(lxcpath, name) === undefined) {
      failRestart(host, repository, name, error);
      return;
    }
  }
  clearRestart(host, repository, name);
}

/** True while it may yet stop: the process that stops it can outlive lxcv. */
function isStopping({ now }: Host, { monitor, time, reason }: Mark, present: string): boolean {
  const age = now().getTime() - Date.parse(time);
  return reason === undefined && monitor === present && age >= 0 && age < STOPPING_MS;
}

/** A mark that a crash cut short is one all the same. @throws LxcvError `unsafe-owner`. */
function readMarks(
  { files }: Pick<Host, 'files'>,
  repository: RepositoryLayout,
): { readonly name: ContainerName; readonly mark: Mark }[] {
  if (!hasRestarts({ files }, repository)) return [];
  const names = listStoreDirectory(files, repository.restarting).filter(isRepositoryName).sort();
  return (names as string[] as ContainerName[]).map((name) => ({ name, mark: readMark(files, repository, name) }));
}

/** One that is no file says that as its reason: nobody knows what it was there for. */
function readMark(files: FilesRead, repository: RepositoryLayout, container: ContainerName): Mark {
  try {
    return parseMark(readStoreFile(files, repository.restart(container))?.toString('utf8'));
  } catch (error) {
    if (!(error instanceof LxcvError)) throw error;
    return { ...NO_MARK, reason: error.message };
  }
}

const NO_MARK: Mark = { monitor: null, time: new Date(0).toISOString() };

function parseMark(text = ''): Mark {
  try {
    const { monitor, time, reason } = JSON.parse(text) as Partial<Mark>;
    const told = { monitor: monitor ?? null, time: time ?? NO_MARK.time };
    return reason === undefined ? told : { ...told, reason };
  } catch {
    return NO_MARK;
  }
}

function placesOf(repository: RepositoryLayout): { root: string; restarting: string; lxcpath: string } {
  const { root, restarting, storeRoot } = repository;
  return { root, restarting, lxcpath: storeRoot.slice(0, -1) };
}
