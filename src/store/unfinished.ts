/**
 * An operation that is neither finished nor rolled back, and cannot be for now: a full disk, a read-only file system. Nothing of it is
 * damage; it waits, and the next command that can goes on with it. See docs/decisions/0018-pending-operations.md.
 */

import { dirname } from 'node:path';
import { isErrno, isSystemError } from '../host/files.js';
import { raiseOpenFiles } from '../host/open-files.js';
import { LxcvError } from '../model/errors.js';
import { type RepositoryLayout, stagedFor } from './layout.js';
import { editedConfig } from './lxc-layout.js';
import type { Operation } from './operation-log.js';

export interface Unfinished {
  readonly operation: Operation;
  /** True where it has passed its commit point: then only its last steps are missing. Else it has to be rolled back. */
  readonly isDone: boolean;
  /** What the system, or a step, said. */
  readonly cause: Error;
}

/** True for what keeps an operation from being finished, and may go away; a fault of lxcv's own, or a signal, is none. */
export function isObstacle(error: unknown): error is Error {
  if (error instanceof LxcvError) return error.code !== 'interrupted' && error.code !== 'store-newer';
  return isSystemError(error);
}

/** As an error, for whoever cannot do without what the operation changes; message and hint serve a notice and a finding too. */
export function toldUnfinished(
  { root, name }: RepositoryLayout,
  { operation: { command, subject }, isDone, cause }: Unfinished,
): LxcvError {
  const what = isDone
    ? `the ${command} of ${subject} is done, but its last steps in the repository ${name} wait`
    : `an interrupted ${command} of ${subject} in the repository ${name} waits to be rolled back`;
  return new LxcvError('operation-pending', `${what}: ${reasonOf(cause)}`, wayOn(root, cause), { cause });
}

/**
 * The error of an operation that has passed its commit point and could not be finished. After an fsync that failed nobody knows what the
 * disk has: the kernel reports a lost write once, and then no more.
 */
export function unfinishedNow(
  operation: Pick<Operation, 'command' | 'subject'>,
  log: string,
  cause: unknown,
): LxcvError {
  const { command, subject } = operation;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const what = `the ${command} of ${subject} is done`;
  if (isFailedSync(error)) {
    return new LxcvError(
      'operation-pending',
      `${what}, but it is not known whether the disk has it: ${reasonOf(error)}`,
      'When the disk is well, and mounted anew, lxcv log shows whether it is there, and lxcv fsck whether all is whole.',
      { cause },
    );
  }
  const root = log.slice(0, log.lastIndexOf('/'));
  return new LxcvError(
    'operation-pending',
    `${what}, but its last steps wait: ${reasonOf(error)}`,
    wayOn(root, error),
    {
      cause,
    },
  );
}

function isFailedSync(error: Error & { syscall?: unknown }): boolean {
  return isSystemError(error) && /^(fsync|fdatasync|syncfs)$/.test(String(error.syscall));
}

function reasonOf(cause: Error): string {
  const known = REASONS.find(([codes]) => isErrno(cause, ...codes))?.[1];
  return known === undefined ? cause.message : `${known} (${cause.message})`;
}

const REASONS: readonly (readonly [codes: readonly string[], reason: string])[] = [
  [['EROFS'], 'the file system is read-only'],
  [['ENOSPC'], 'no space is left on the device'],
  [['EDQUOT'], 'the disk quota is used up'],
  [['EIO'], 'the disk reports an error'],
  [['EPERM', 'EACCES'], 'the system does not permit it'],
  [['EXDEV'], 'something would have to move to another mount or file system'],
  [['EBUSY'], 'a file or directory is in use'],
  [['EMFILE', 'ENFILE'], 'too many files are open'],
];

/** What to do, with a line to be pasted where there is one. */
function wayOn(root: string, cause: Error & { path?: unknown; dest?: unknown }): string {
  const then = 'then run any lxcv command, which goes on with it. Move nothing away before that.';
  const path = typeof cause.path === 'string' ? cause.path : root;
  if (isErrno(cause, 'EROFS')) return `mount -o remount,rw "$(findmnt -no TARGET -T ${root})", ${then}`;
  if (isErrno(cause, 'ENOSPC', 'EDQUOT'))
    return `Free some space on the file system of ${root} (df -h, df -i), ${then}`;
  if (isErrno(cause, 'EPERM', 'EACCES'))
    return `Something may be immutable: chattr -f -i ${placesOf(cause, root).join(' ')}, ${then}`;
  if (isErrno(cause, 'EIO')) return `See what the kernel says of the disk (dmesg); when it is well, ${then}`;
  if (isErrno(cause, 'EXDEV')) return `See what is mounted there: findmnt -T ${path}; unmount it, ${then}`;
  if (isErrno(cause, 'EBUSY')) return `See what uses it: fuser -vm ${path}; end that, ${then}`;
  if (isErrno(cause, 'EMFILE')) return `Raise the limit: ${raiseOpenFiles()}, ${then}`;
  if (isErrno(cause, 'ENFILE')) return `Raise the limit: sysctl fs.file-max, ${then}`;
  if (cause instanceof LxcvError) return `${cause.hint} ${then.replace('then run', 'Then run')}`;
  return `Remove what is in the way at ${path}, ${then}`;
}

/** What the system would not change, and the directories that that is in: a name is theirs. */
function placesOf({ path, dest }: { path?: unknown; dest?: unknown }, root: string): string[] {
  const named = [path, dest].filter((each) => typeof each === 'string');
  return named.length === 0 ? [root] : [...new Set(named.flatMap((each) => [each, dirname(each)]))];
}

/** The paths that an operation has yet to change, with the directories of the versions and containers that these are in. */
export function touchedBy({ point, forward, back }: Operation): string[] {
  const named = [point, ...forward, ...back].flatMap((step) =>
    Object.entries(step).flatMap(([key, value]) => (isChanged(key, value) ? [value] : [])),
  );
  const keyframes = forward.flatMap((step) => (step.do === 'publish' && step.keyframe ? [step.keyframe.path] : []));
  const all = [...named, ...keyframes];
  const versions = all.flatMap((path) => /^.*\/versions\/[a-z0-9]{12}(?=\/)/.exec(path)?.[0] ?? []);
  const beside = all.flatMap((path) => [editedConfig(path), stagedFor(path)]);
  return [...new Set([...all, ...versions, ...beside])];
}

function isChanged(key: string, value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/') && !['lxcpath', 'was', 'is', 'base'].includes(key);
}
