/**
 * Steps: the small changes to the store that finish an operation or take it back. Each is idempotent, so that a list of them
 * can be run again from its start after a crash, and plain JSON, so that the operation log can hold it.
 */

import { basename, dirname } from 'node:path';
import { type Files, type FilesRead, isSystemError, tolerate } from '../host/files.js';
import type { Host } from '../host/host.js';
import { diffTrees } from '../layer/diff.js';
import { mergeLayers } from '../layer/keyframe.js';
import { removeTree } from '../layer/removal.js';
import { countChanges } from '../model/changes.js';
import { LxcvError } from '../model/errors.js';
import type { Job } from '../model/job.js';
import { decodeDraft, encodeManifest } from '../model/manifest.js';
import type { ContainerName, Layer, VersionId } from '../model/version.js';
import { closeDeltaNow } from './closed-delta.js';
import { changeRootfs, mergeConcurrentEdit, syncAbove } from './config-file.js';
import { leftWork, scratchOf, stagedFor, type VersionLayout } from './layout.js';
import { isGone, moveIn } from './move-in.js';
import { checkType } from './store-file.js';
import { encodeWorking, readWorking, type Working } from './working.js';

export type Step =
  /** Done where `from` is gone. */
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  /** Done where nothing is there. */
  | { readonly do: 'unlink'; readonly path: string }
  /** Removes a directory that is empty; one that is not, or that something is mounted on, stays, for gc to judge. */
  | { readonly do: 'rmdir'; readonly path: string }
  /** Replaces a ref; null removes it. */
  | { readonly do: 'ref'; readonly path: string; readonly id: VersionId | null }
  /** Moves a directory such that its old path leads to it at every instant, and is a symbolic link in the end; its own time stays. */
  | { readonly do: 'move-in'; readonly from: string; readonly to: string; readonly mtimeNs: string }
  /** Puts a file where overlayfs's workdir was: from then on nothing can be mounted that writes to the delta beside it. */
  | { readonly do: 'close-delta'; readonly work: string }
  /** Removes a tree that the operation made as a copy of another, be it by hard links; or overlayfs's scratch directory. */
  | { readonly do: 'remove-copy'; readonly path: string }
  /** Counts what the layers `after` change in those `before`, and gives a version its manifest, of which all else is in `draft`. */
  | Publication
  /** Lets the container go that the operation holds: it may start from here on. What recovers holds none. */
  | { readonly do: 'release' }
  /** Adds a pair of lines to LXC's list of the clones that stand on a container, or takes it away. */
  | { readonly do: 'register' | 'unregister'; readonly path: string; readonly entry: string }
  /** Thaws a container, if it is there and frozen, and `mark` is there: it tells that lxcv froze it. Older logs know no mark. */
  | {
      readonly do: 'thaw';
      readonly lxcpath: string;
      readonly container: ContainerName;
      readonly mark?: string;
    }
  /** Looks at what an exchange with a config left at `staged`: `base`, in latin1, or an edit of it that is carried over. */
  | { readonly do: 'settle-config'; readonly config: string; readonly staged: string; readonly base: string }
  /** Gives a config another `lxc.rootfs.path`, if it has the one that lxcv gave it. */
  | {
      readonly do: 'change-rootfs';
      readonly config: string;
      readonly staged: string;
      readonly was: string;
      readonly is: string;
    };

/** A version that has passed its commit point, and whose changes are to be counted. Paths are absolute, layers top first. */
export interface Publication {
  readonly do: 'publish';
  readonly draft: string;
  readonly manifest: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly keyframe?: PlannedKeyframe | undefined;
}

/** A keyframe to be made: the merge of the layers `of`, for the layers `below`. */
export interface PlannedKeyframe {
  readonly path: string;
  readonly of: readonly string[];
  readonly below: readonly string[];
  /** The chain of the version where the keyframe cannot be made. */
  readonly instead: readonly Layer[];
  /** The record of the working delta that is to lie over it, if one is. */
  readonly working?: string | undefined;
}

/** The parts of the machine that steps change. */
export type StepHost = Pick<Host, 'files' | 'lxc' | 'signals' | 'yieldToEventLoop' | 'sleep' | 'wallMs'>;

/** Does a job to its end. @param what it does, in the gerund. */
type RunJob = <Result>(what: string, job: Job<Result>) => Promise<Result>;

/** What a step does for an operation that somebody waits for, and not for one that is recovered. */
export interface Foreground {
  /** May tell what goes on, and may throw `interrupted`. */
  readonly runJob: RunJob;
  readonly release: () => void;
}

/** The event loop turns meanwhile, but nothing interrupts it; but for what `foreground` throws: then the step is to be run again. */
export async function runStep(host: StepHost, step: Step, foreground?: Foreground): Promise<void> {
  const { files, lxc } = host;
  const run: RunJob = foreground?.runJob ?? ((_, job) => runToEnd(host, job));
  switch (step.do) {
    case 'rename':
      if (files.stat(step.from) !== undefined) files.rename(step.from, step.to);
      break;
    case 'unlink':
      tolerate(['ENOENT', 'ENOTDIR'], () => files.unlink(step.path));
      break;
    case 'rmdir':
      tolerate(['ENOENT', 'ENOTEMPTY', 'ENOTDIR', 'EBUSY'], () => files.rmdir(step.path));
      break;
    case 'ref':
      if (step.id === null) tolerate(['ENOENT'], () => files.unlink(step.path));
      else replaceFile(files, step.path, `${step.id}\n`, 0o600);
      break;
    case 'move-in':
      moveIn(files, step.from, step.to);
      // The config that names the new place must not be on the disk before.
      for (const path of [step.from, step.to]) syncAbove(files, path);
      files.setMtime(step.to, BigInt(step.mtimeNs));
      break;
    case 'publish':
      if (files.stat(step.manifest) === undefined) await publish(files, step, run);
      tolerate(['ENOENT'], () => files.unlink(step.draft));
      break;
    case 'release':
      foreground?.release();
      break;
    case 'close-delta':
      await closeDelta(host, step.work);
      break;
    case 'remove-copy':
      await runToEnd(host, removeTree(files, step.path));
      break;
    case 'register':
    case 'unregister':
      await listClone(host, step.path, step.entry, step.do === 'register');
      break;
    case 'thaw':
      if (step.mark === undefined || files.stat(step.mark) !== undefined) thaw(lxc, step.lxcpath, step.container);
      break;
    case 'settle-config':
      mergeConcurrentEdit(files, step.config, step.staged, Buffer.from(step.base, 'latin1'));
      break;
    case 'change-rootfs':
      changeRootfs(files, step.config, step.staged, step.was, step.is);
      break;
  }
}

/** True for a step that can never be done any more, so that its operation has nothing to carry on with. */
export function isAbandoned(files: FilesRead, step: Step): boolean {
  return step.do === 'move-in' && isGone(files, step.from, step.to);
}

/** The steps that take away a working delta in which nothing was ever written. What holds something stays for gc. */
export function discardWorking(layout: VersionLayout): Step[] {
  return [
    { do: 'rmdir', path: layout.delta },
    { do: 'rmdir', path: scratchOf(layout.work) },
    { do: 'rmdir', path: layout.work },
    { do: 'unlink', path: layout.working },
    { do: 'rmdir', path: layout.root },
  ];
}

/**
 * Makes of a draft a version's manifest, from which on the version is there, and before that its keyframe, if it is to have one.
 * Its layers are not written to any more, nor are those that it is compared with.
 */
async function publish(files: Files, publication: Publication, run: RunJob): Promise<void> {
  const { draft, manifest, keyframe, before, after } = publication;
  const version = decodeDraft(files.read(draft), draft);
  const isMade = keyframe === undefined || (await makeKeyframe(files, keyframe, run));
  const chain = isMade ? version.chain : keyframe.instead;
  const counting = countChanges(diffTrees(files, before, after, { skipContent: true }));
  const changes = await run(`counting what changed in ${version.container}`, counting);
  if (!isMade && keyframe.working !== undefined) standOn(files, keyframe.working, keyframe.instead);
  replaceFile(files, manifest, encodeManifest({ ...version, chain, changes }), 0o400);
}

/**
 * Makes a keyframe, anew where that was begun before; durable, for a manifest will name it.
 * @returns false where the system does not let it, for want of room or of open files, say: the version does without.
 */
async function makeKeyframe(files: Files, keyframe: PlannedKeyframe, run: RunJob): Promise<boolean> {
  const { path, of, below } = keyframe;
  const what = 'merging versions into a keyframe';
  await run(what, removeTree(files, path));
  try {
    await run(what, mergeLayers(files, of, below, path));
    await files.syncFileSystemAside(dirname(path));
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    await run(what, removeTree(files, path));
    return false;
  }
}

/** Has a working delta lie over what is mounted, and no longer over a keyframe that was to stand for it. */
function standOn(files: Files, path: string, lowers: readonly Layer[]): void {
  const { mounted, ...working } = readWorking(files, path) ?? {};
  if (mounted !== undefined)
    replaceFile(files, path, encodeWorking({ ...(working as Working), lowers: [...lowers] }), 0o600);
}

/** Writes a file whole and durable, or leaves the one that is there. */
export function replaceFile(files: Files, path: string, content: string | Buffer, mode: number): void {
  const staged = stagedFor(path);
  tolerate(['ENOENT'], () => files.unlink(staged));
  files.create(staged, content, mode);
  files.sync(staged);
  files.rename(staged, path);
  files.sync(`${dirname(path)}/.`);
}

async function closeDelta(host: StepHost, work: string): Promise<void> {
  const { files } = host;
  if (files.stat(work)?.type !== 'file') {
    await runToEnd(host, removeTree(files, scratchOf(work)));
    closeDeltaNow(files, work);
  }
  await runToEnd(host, removeTree(files, scratchOf(leftWork(work))));
  tolerate(['ENOENT', 'ENOTEMPTY', 'ENOTDIR'], () => files.rmdir(leftWork(work)));
}

/**
 * LXC's format of a container's `lxc_snapshots`: for each clone its lxcpath and its name, a line each; no empty file. Others
 * change it too: LXC's tools, and lxcv in other repositories.
 */
async function listClone(host: StepHost, path: string, entry: string, listed: boolean): Promise<void> {
  const { files } = host;
  using _ = await lockDirectory(host, dirname(path));

  // What a write that was cut short left, also where the list is as it should be.
  tolerate(['ENOENT', 'ENOTDIR'], () => files.unlink(stagedFor(path)));
  const stat = files.stat(path);
  if (stat !== undefined) checkType(path, stat, 'file');
  const present = files.readIfPresent(path)?.toString('utf8') ?? '';
  const pairs: string[] = present.match(/[^\n]*\n[^\n]*\n?/g) ?? [];
  if (pairs.includes(entry) === listed) return;
  const rest = pairs.filter((pair) => pair !== entry).join('');
  const wanted = listed ? `${rest}${entry}` : rest;
  if (wanted === '') files.unlink(path);
  else replaceFile(files, path, wanted, 0o644);
}

const LOCK_POLL_MS = 5;
const LOCK_WAIT_MS = 10_000;

/** Takes LXC's lock of a container's directory. @throws LxcvError `container-in-use` after ten seconds. */
async function lockDirectory({ lxc, sleep }: StepHost, directory: string): Promise<Disposable> {
  const lxcpath = dirname(directory);
  const name = basename(directory) as ContainerName;
  for (let waited = 0; ; waited += LOCK_POLL_MS) {
    const lock = lxc.tryLockDirectory(lxcpath, name);
    if (lock !== undefined) return lock;
    if (waited >= LOCK_WAIT_MS) {
      throw new LxcvError(
        'container-in-use',
        `LXC has had ${directory} locked for ten seconds`,
        'Look what it does with that container, and try again when it is done.',
      );
    }
    await sleep(LOCK_POLL_MS);
  }
}

/** For how long the event loop may stand still. */
const YIELD_INTERVAL_MS = 50;

/** Does a job to its end. */
async function runToEnd<Result>({ yieldToEventLoop, wallMs }: StepHost, job: Job<Result>): Promise<Result> {
  for (let yieldedAt = wallMs(); ; ) {
    const step = job.next();
    if (step.done) return step.value;
    // Where the clock was set, it is time too.
    if (Math.abs(wallMs() - yieldedAt) < YIELD_INTERVAL_MS) continue;
    await yieldToEventLoop();
    yieldedAt = wallMs();
  }
}

function thaw(lxc: StepHost['lxc'], lxcpath: string, container: ContainerName): void {
  try {
    lxc.thaw(lxcpath, container);
  } catch (error) {
    if (!(error instanceof LxcvError)) throw error;
  }
}
