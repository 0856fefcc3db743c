/**
 * Transactions: an operation happens at the one rename, or exchange, that is its commit point, or not at all.
 *
 * The caller holds the repository's lock (store.ts), from before `recover` until `transact` has returned. Readers take no lock: they
 * see what was there before, or an operation that is pending, which plumbing/retry-until-stable.ts takes care of.
 *
 * Calling sequence:
 *
 * - `recover` finishes or rolls back what a process that died left pending.
 * - `transact` logs the operation, all its steps included; has the caller `stage` what is needed where nobody reads it; makes that
 *   durable; has the caller `check` for the last time; passes the commit point; after an exchange, has the caller `verifyAfterSwap`
 *   what no earlier check can rule out; and runs the steps of `forward`.
 *
 * Errors: what `stage`, `check` or `verifyAfterSwap` throws is thrown on once the steps of `back` have rolled the operation back: nothing
 * has happened. Behind the commit point every error is `operation-pending`: the operation is done, and the next `recover` finishes it.
 *
 * Crashes: before the commit point there is what was there before, and rubbish that `back` removes; after it there is what is new, and
 * `forward` goes on from its first step. So a step can be run again, whatever became of it before (steps.ts).
 */

import { dirname } from 'node:path';
import type { Files, FilesRead } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import { syncAbove } from './config-file.js';
import { appendRecord, type Operation, type Pending, readPending } from './operation-log.js';
import { type Foreground, isAbandoned, runStep, type Step, type StepHost } from './steps.js';
import { unfinishedNow } from './unfinished.js';

export interface Transaction<Staged = void> extends Omit<Operation, 'state'> {
  /** Makes everything that the operation needs, `point.from` included. */
  readonly stage: () => Staged | Promise<Staged>;
  /** The last check before the commit point: throws where the operation must not happen after all. */
  readonly check?: () => void;
  /**
   * Checks, right after a commit point that is an exchange, what no check before it can rule out. Where it throws, the two are
   * exchanged back at once, and the operation is rolled back.
   */
  readonly verifyAfterSwap?: () => void;
  /** For steps of `forward` that take long, or let something go that the operation holds. */
  readonly foreground?: Foreground;
}

/**
 * Carries an operation out. Where it throws, nothing has happened; but for an error `operation-pending`: then the
 * operation is done, and the next `recover` finishes it.
 * @returns what `stage` returned.
 */
export async function transact<Staged>(host: StepHost, log: string, transaction: Transaction<Staged>): Promise<Staged> {
  using _ = host.signals.hold();
  const { stage, check, verifyAfterSwap: recheck, foreground, ...begin } = transaction;
  const { operation, point } = begin;
  appendRecord(host.files, log, { ...begin, state: 'begin' });
  host.files.sync(log);
  let staged: Staged;
  let obstacle: unknown;
  try {
    staged = await stage();
    appendRecord(host.files, log, { operation, state: 'ready', inode: `${inodeOf(host.files, point.from)}` });
    for (const place of placesToSync(host.files, log, point.from)) await host.files.syncFileSystemAside(place);
    host.signals.check();
    check?.();
    obstacle = swap(host.files, point, recheck);
  } catch (error) {
    await rollBack(host, log, begin).catch(() => undefined);
    throw error;
  }
  try {
    if (obstacle !== undefined) throw obstacle;
    for (const step of begin.forward) await runToItsEnd(host, step, foreground);
    for (const place of placesToSync(host.files, log, `${dirname(point.to)}/.`)) {
      await host.files.syncFileSystemAside(place);
    }
    appendRecord(host.files, log, { operation, state: 'end', outcome: 'done' });
  } catch (error) {
    throw unfinishedNow(begin, log, error);
  }
  return staged;
}

/** A step that a signal interrupts is run again, and is not interrupted then: the operation has happened. */
async function runToItsEnd(host: StepHost, step: Step, foreground: Foreground | undefined): Promise<void> {
  try {
    await runStep(host, step, foreground);
  } catch (error) {
    if (!(error instanceof LxcvError && error.code === 'interrupted')) throw error;
    await runStep(host, step);
  }
}

/** Finishes what a process that died left pending. @returns what became of it, or undefined where nothing was pending. */
export async function recover(host: StepHost, log: string): Promise<'done' | 'taken back' | undefined> {
  const pending = readPending(host.files, log);
  if (pending === undefined) return undefined;
  using _ = host.signals.hold();
  const { operation } = pending;
  if (!hasPassed(host.files, pending)) {
    await rollBack(host, log, operation);
    return 'taken back';
  }
  // What died may have done so before that was durable; what follows must not be on the disk without it.
  syncAbove(host.files, operation.point.to);
  await rollForward(host, log, operation, 'done', operation.forward);
  return 'done';
}

/** Of what was staged: with its directory it may be gone again, where LXC destroyed a container meanwhile. */
function inodeOf(files: FilesRead, staged: string): bigint {
  const stat = files.stat(staged);
  if (stat !== undefined) return stat.inode;
  throw Object.assign(new Error(`ENOENT: ${staged} is gone`), { code: 'ENOENT' });
}

/**
 * The commit point. It is durable before what lies behind it is looked at, for that look may change something.
 * @returns what kept it from being made durable, or, where it must not be, from being undone.
 */
function swap(files: Files, { from, to, exchange }: Operation['point'], recheck: (() => void) | undefined): unknown {
  if (!exchange) {
    if (files.stat(to) === undefined) files.renameNew(from, to);
    else files.rename(from, to);
    return attempt(() => syncAbove(files, to));
  }
  files.exchange(from, to);
  const notDurable = attempt(() => syncAbove(files, to));
  const reason = attempt(() => recheck?.());
  if (reason === undefined) return notDurable;
  const stuck = attempt(() => files.exchange(from, to));
  if (stuck !== undefined) return stuck;
  throw reason;
}

/** Whether an operation has passed its commit point: then what was staged is no longer where it was. */
export function hasPassed(files: FilesRead, { operation, last }: Pending): boolean {
  if (last.state !== 'ready') return false;
  if (operation.forward.some((step) => isAbandoned(files, step))) return false;
  const staged = files.stat(operation.point.from);
  return staged === undefined || (last.inode !== undefined && `${staged.inode}` !== last.inode);
}

/** The record comes first: once the staged file is gone, nothing else would tell this from an operation that is done. */
async function rollBack(
  host: StepHost,
  log: string,
  begin: Pick<Operation, 'operation' | 'point' | 'back'>,
): Promise<void> {
  // An exchange that was undone: on the disk it must be before the log says so, and before what it named is removed.
  if (begin.point.exchange) syncAbove(host.files, begin.point.to);
  appendRecord(host.files, log, { operation: begin.operation, state: 'back' });
  host.files.sync(log);
  await rollForward(host, log, begin, 'taken back', begin.back);
}

async function rollForward(
  host: StepHost,
  log: string,
  { operation, point }: Pick<Operation, 'operation' | 'point'>,
  outcome: 'done' | 'taken back',
  steps: readonly Step[],
): Promise<void> {
  for (const step of steps) await runStep(host, step);
  for (const place of placesToSync(host.files, log, `${dirname(point.to)}/.`))
    await host.files.syncFileSystemAside(place);
  appendRecord(host.files, log, { operation, state: 'end', outcome });
}

/** A path of each file system that an operation changes: the store's and, where it is another one, that of the containers. */
function placesToSync(files: FilesRead, log: string, container: string): string[] {
  const device = files.stat(container)?.device;
  return device === undefined || device === files.stat(log)?.device ? [log] : [log, container];
}

/** @returns what was thrown. */
function attempt(act: () => void): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}
