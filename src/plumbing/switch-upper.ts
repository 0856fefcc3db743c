/**
 * Puts a stopped container on a new working delta. What it wrote to until now becomes a version or, where it wrote nothing,
 * goes. This is the one way by which a container that is there gets another root file system; its commit point is the rename
 * of the container's config.
 */

import { formatRootfsPath } from '../layer/overlayfs.js';
import { estimateMerge } from '../layer/space-estimate.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import { decodeManifest } from '../model/manifest.js';
import type { BranchName, Version, VersionId } from '../model/version.js';
import { closeDeltaNow, reopenDelta } from '../store/closed-delta.js';
import { stageConfig } from '../store/config-file.js';
import { type Container, lowersOf } from '../store/containers.js';
import type { RepositoryLayout, VersionLayout } from '../store/layout.js';
import { encodeSetAside, type SetAside } from '../store/set-aside.js';
import { discardWorking, type Step } from '../store/steps.js';
import { type Transaction, transact } from '../store/transaction.js';
import type { Working } from '../store/working.js';
import type { Context } from './context.js';
import { checkUnmounted, checkUpperFree } from './hold.js';
import { runJob } from './run-job.js';
import { checkSpace, checkSpaceToSwitch } from './space.js';
import { checkConfigUnchanged, ensureDirectory, stackConfig, stageWorking } from './staging.js';
import type { DraftedDelta } from './version-draft.js';
import { stagedVersion } from './version-files.js';

export interface UpperSwitch {
  readonly command: string;
  readonly container: Container;
  readonly repository: RepositoryLayout;
  /**
   * What becomes of the present delta: a version; nothing where it was found empty of changes; or what it is, where it cannot become
   * a version.
   */
  readonly pending:
    | DraftedDelta
    | { readonly discard: VersionLayout }
    | { readonly aside: VersionLayout; readonly record: SetAside };
  /** What the container stands on from then on. */
  readonly next: Working;
  /** The directory whose attributes the next `/` takes over, once all else is staged. */
  readonly rootAttributesFrom: string;
  readonly refs: ReadonlyMap<BranchName, VersionId>;
  /** For a delta that comes from outside the store. */
  readonly move?: DeltaMove;
  /** Keeps the container stopped. It is let go as soon as the container may start: before what changed is counted. */
  readonly hold: Disposable;
}

/**
 * How a delta comes into the store. LXC 5 does not start a container whose root file system is a symbolic link, so the delta
 * moves after the commit point: the first config mounts it where it is, as a lower directory, and such a one may become a link
 * at any time; the final config mounts it where it belongs.
 */
export interface DeltaMove {
  /** Where the delta is. */
  readonly from: string;
  /** Its modification time, which some file systems change with a move. */
  readonly mtimeNs: bigint;
  readonly stage: () => Promise<void>;
  /** The last look, right behind the commit point: throws where somebody uses the delta after all. */
  readonly verifyAfterSwap: () => void;
  /** What to do once the delta is in its place, and the final config too. */
  readonly moved: readonly Step[];
  readonly back: readonly Step[];
}

/** @returns the version that the present delta became, if it did. */
export function switchUpper(
  context: Context,
  request: UpperSwitch & { readonly pending: DraftedDelta },
): Promise<Version>;
export function switchUpper(context: Context, request: UpperSwitch): Promise<Version | undefined>;
export async function switchUpper(
  context: Context,
  { pending, move, hold, ...request }: UpperSwitch,
): Promise<Version | undefined> {
  const { container, repository, next } = request;
  const nextLayout = repository.version(newId(context.host.randomBytes));
  const over = next.mounted === undefined ? {} : { working: nextLayout.working };
  const version = 'draft' in pending ? stagedVersion(context, repository, container, pending, over) : undefined;
  const lowers = lowersOf(repository, container.name, next);
  const { config, stagedConfig } = container.layout;
  const content = stackConfig(
    container.config,
    container.options,
    { repository, container: container.name, layout: nextLayout },
    move === undefined ? lowers : [move.from, ...lowers.slice(1)],
  );
  await checkRoom(context, request, 'draft' in pending ? (pending.keyframe?.of ?? []) : []);
  const transaction: Transaction = {
    operation: nextLayout.id,
    time: context.host.now().toISOString(),
    command: request.command,
    subject: container.name,
    point: { from: stagedConfig, to: config, exchange: true },
    stage: async () => {
      await move?.stage();
      version?.stage();
      if ('aside' in pending) stageAside(context, repository, pending.aside, pending.record);
      stageWorking(context, repository, nextLayout, next, request.rootAttributesFrom);
      stageConfig(context.host.files, config, stagedConfig, content);
    },
    check: () => {
      checkConfigUnchanged(context, container);
      checkUnmounted(context, container);
    },
    verifyAfterSwap: () => closeAndCheck(context, container, leftBehind(repository, pending, move)?.work, move),
    foreground: { runJob: (what, job) => runJob(context, what, job), release: () => hold[Symbol.dispose]() },
    forward: [
      { do: 'settle-config', config, staged: stagedConfig, base: container.configBytes.toString('latin1') },
      ...(move === undefined || !('draft' in pending)
        ? []
        : arrive(repository.version(pending.draft.id), container, move, lowers, nextLayout)),
      ...(version === undefined ? [] : [{ do: 'release' } satisfies Step, ...version.forward]),
      ...('discard' in pending ? leaveBehind(pending.discard) : []),
      ...('aside' in pending ? setAside(repository, pending.aside) : []),
      ...[...request.refs].map(([name, id]): Step => ({ do: 'ref', path: repository.branch(name), id })),
    ],
    back: [
      ...discardWorking(nextLayout),
      ...(version?.back ?? []),
      ...('aside' in pending ? [{ do: 'unlink', path: repository.stagedAside(pending.aside.id) } satisfies Step] : []),
      ...(move?.back ?? []),
      { do: 'unlink', path: stagedConfig },
    ],
  };
  await transact(context.host, repository.operations, transaction).catch((error) => {
    throw request.command === 'commit' && 'draft' in pending ? withVersion(error, pending.draft) : error;
  });
  return version === undefined
    ? undefined
    : decodeManifest(context.host.files.read(version.manifest), version.manifest);
}

/** An operation that is done says which version it made, for programs. */
function withVersion(error: unknown, { id, number, container }: DraftedDelta['draft']): unknown {
  if (!(error instanceof LxcvError) || error.code !== 'operation-pending') return error;
  return new LxcvError(error.code, error.message, error.hint, { cause: error, data: { container, id, number } });
}

/** @param merged the layers of a keyframe that is to be made. */
async function checkRoom(
  context: Context,
  { command, container }: Pick<UpperSwitch, 'command' | 'container'>,
  merged: readonly string[],
): Promise<void> {
  const { versioned } = container;
  if (command === 'checkout' && versioned !== undefined) {
    checkSpaceToSwitch(context, { ...container, versioned });
    return;
  }
  const estimate = await runJob(context, 'looking for room', estimateMerge(context.host.files, merged));
  checkSpace(context, `the ${command} of ${container.name}`, estimate);
}

/** The working delta of until now; undefined where that is not in the store yet. */
function leftBehind(
  repository: RepositoryLayout,
  pending: UpperSwitch['pending'],
  move: DeltaMove | undefined,
): VersionLayout | undefined {
  if ('discard' in pending) return pending.discard;
  if ('aside' in pending) return pending.aside;
  return move === undefined ? repository.version(pending.draft.id) : undefined;
}

/**
 * Closes the delta that was left, and only then looks whether anything has it mounted: a start that no hold keeps off, by another path
 * of the lxcpath, has mounted it by then, or never will.
 */
function closeAndCheck(
  context: Context,
  container: Container,
  work: string | undefined,
  move: DeltaMove | undefined,
): void {
  const { files } = context.host;
  try {
    if (work !== undefined) closeDeltaNow(files, work);
    checkUpperFree(context, container);
    move?.verifyAfterSwap();
  } catch (error) {
    if (work !== undefined) reopenDelta(files, work);
    throw error;
  }
}

/** @param lowers of the final config. */
function arrive(
  version: VersionLayout,
  { layout: { config, finalConfig } }: Container,
  { from, mtimeNs, moved }: DeltaMove,
  lowers: readonly string[],
  next: VersionLayout,
): Step[] {
  const was = formatRootfsPath([from, ...lowers.slice(1)], next.delta);
  return [
    { do: 'move-in', from, to: version.delta, mtimeNs: `${mtimeNs}` },
    { do: 'change-rootfs', config, staged: finalConfig, was, is: formatRootfsPath(lowers, next.delta) },
    ...moved,
  ];
}

/** A delta that nothing stands on any more: closed, so that no mount of a moment ago writes to it, and then gc's. */
function leaveBehind(layout: VersionLayout): Step[] {
  return [
    { do: 'close-delta', work: layout.work },
    { do: 'unlink', path: layout.working },
  ];
}

function stageAside(
  { host: { files } }: Context,
  repository: RepositoryLayout,
  { id }: VersionLayout,
  record: SetAside,
): void {
  ensureDirectory(files, repository.asides);
  files.create(repository.stagedAside(id), encodeSetAside(record), 0o600);
}

/** A delta that stays as it is: told of by its record, and closed. */
function setAside(repository: RepositoryLayout, layout: VersionLayout): Step[] {
  return [
    { do: 'rename', from: repository.stagedAside(layout.id), to: repository.aside(layout.id) },
    ...leaveBehind(layout),
  ];
}
