/**
 * Puts a stopped container on a new working delta. What it wrote to until now becomes a version or, where it wrote nothing,
 * goes. This is the one way by which a container that is there gets another root file system; its commit point is the rename
 * of the container's config.
 */

import { extentOfMerge } from '../layer/extent.js';
import { formatRootfsPath } from '../layer/overlayfs.js';
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
import type { Present } from './draft.js';
import { checkUnmounted, checkUpperFree } from './hold.js';
import { runJob } from './run-job.js';
import { checkSpace, checkSpaceToSwitch } from './space.js';
import { checkConfigUnchanged, ensureDirectory, stackConfig, stageWorking } from './staging.js';
import { stagedVersion } from './version-files.js';
import type { World } from './world.js';

export interface Restack {
  readonly command: string;
  readonly container: Container;
  readonly repository: RepositoryLayout;
  /**
   * What becomes of the present delta: a version; nothing where it was found empty of changes; or what it is, where it cannot become
   * a version.
   */
  readonly present:
    | Present
    | { readonly discard: VersionLayout }
    | { readonly aside: VersionLayout; readonly record: SetAside };
  /** What the container stands on from then on. */
  readonly next: Working;
  /** The directory whose attributes the next `/` takes over, once all else is staged. */
  readonly model: string;
  readonly refs: ReadonlyMap<BranchName, VersionId>;
  /** For a delta that comes from outside the store. */
  readonly arrival?: Arrival;
  /** Keeps the container stopped. It is let go as soon as the container may start: before what changed is counted. */
  readonly hold: Disposable;
}

/**
 * How a delta comes into the store. LXC 5 does not start a container whose root file system is a symbolic link, so the delta
 * moves after the commit point: the first config mounts it where it is, as a lower directory, and such a one may become a link
 * at any time; the final config mounts it where it belongs.
 */
export interface Arrival {
  /** Where the delta is. */
  readonly from: string;
  /** Its modification time, which some file systems change with a move. */
  readonly mtimeNs: bigint;
  readonly stage: () => Promise<void>;
  /** The last look, right behind the commit point: throws where somebody uses the delta after all. */
  readonly recheck: () => void;
  /** What to do once the delta is in its place, and the final config too. */
  readonly moved: readonly Step[];
  readonly back: readonly Step[];
}

/** @returns the version that the present delta became, if it did. */
export function restack(world: World, request: Restack & { readonly present: Present }): Promise<Version>;
export function restack(world: World, request: Restack): Promise<Version | undefined>;
export async function restack(
  world: World,
  { present, arrival, hold, ...request }: Restack,
): Promise<Version | undefined> {
  const { container, repository, next } = request;
  const nextLayout = repository.version(newId(world.host.randomBytes));
  const over = next.mounted === undefined ? {} : { working: nextLayout.working };
  const version = 'version' in present ? stagedVersion(world, repository, container, present, over) : undefined;
  const lowers = lowersOf(repository, container.name, next);
  const { config, stagedConfig } = container.layout;
  const content = stackConfig(
    container.config,
    container.options,
    { repository, container: container.name, layout: nextLayout },
    arrival === undefined ? lowers : [arrival.from, ...lowers.slice(1)],
  );
  await checkRoom(world, request, 'version' in present ? (present.keyframe?.of ?? []) : []);
  const transaction: Transaction = {
    operation: nextLayout.id,
    time: world.host.now().toISOString(),
    command: request.command,
    subject: container.name,
    point: { from: stagedConfig, to: config, exchange: true },
    stage: async () => {
      await arrival?.stage();
      version?.stage();
      if ('aside' in present) stageAside(world, repository, present.aside, present.record);
      stageWorking(world, repository, nextLayout, next, request.model);
      stageConfig(world.host.files, config, stagedConfig, content);
    },
    check: () => {
      checkConfigUnchanged(world, container);
      checkUnmounted(world, container);
    },
    recheck: () => closeAndCheck(world, container, leftBehind(repository, present, arrival)?.work, arrival),
    foreground: { runJob: (what, job) => runJob(world, what, job), release: () => hold[Symbol.dispose]() },
    forward: [
      { do: 'settle-config', config, staged: stagedConfig, base: container.configBytes.toString('latin1') },
      ...(arrival === undefined || !('version' in present)
        ? []
        : arrive(repository.version(present.version.id), container, arrival, lowers, nextLayout)),
      ...(version === undefined ? [] : [{ do: 'release' } satisfies Step, ...version.forward]),
      ...('discard' in present ? leaveBehind(present.discard) : []),
      ...('aside' in present ? setAside(repository, present.aside) : []),
      ...[...request.refs].map(([name, id]): Step => ({ do: 'ref', path: repository.branch(name), id })),
    ],
    back: [
      ...discardWorking(nextLayout),
      ...(version?.back ?? []),
      ...('aside' in present ? [{ do: 'unlink', path: repository.stagedAside(present.aside.id) } satisfies Step] : []),
      ...(arrival?.back ?? []),
      { do: 'unlink', path: stagedConfig },
    ],
  };
  await transact(world.host, repository.operations, transaction).catch((error) => {
    throw request.command === 'commit' && 'version' in present ? withVersion(error, present.version) : error;
  });
  return version === undefined ? undefined : decodeManifest(world.host.files.read(version.manifest), version.manifest);
}

/** An operation that is done says which version it made, for programs. */
function withVersion(error: unknown, { id, number, container }: Present['version']): unknown {
  if (!(error instanceof LxcvError) || error.code !== 'operation-pending') return error;
  return new LxcvError(error.code, error.message, error.hint, { cause: error, data: { container, id, number } });
}

/** @param merged the layers of a keyframe that is to be made. */
async function checkRoom(
  world: World,
  { command, container }: Pick<Restack, 'command' | 'container'>,
  merged: readonly string[],
): Promise<void> {
  const { versioned } = container;
  if (command === 'checkout' && versioned !== undefined) {
    checkSpaceToSwitch(world, { ...container, versioned });
    return;
  }
  const extent = await runJob(world, 'looking for room', extentOfMerge(world.host.files, merged));
  checkSpace(world, `the ${command} of ${container.name}`, extent);
}

/** The working delta of until now; undefined where that is not in the store yet. */
function leftBehind(
  repository: RepositoryLayout,
  present: Restack['present'],
  arrival: Arrival | undefined,
): VersionLayout | undefined {
  if ('discard' in present) return present.discard;
  if ('aside' in present) return present.aside;
  return arrival === undefined ? repository.version(present.version.id) : undefined;
}

/**
 * Closes the delta that was left, and only then looks whether anything has it mounted: a start that no hold keeps off, by another path
 * of the lxcpath, has mounted it by then, or never will.
 */
function closeAndCheck(
  world: World,
  container: Container,
  work: string | undefined,
  arrival: Arrival | undefined,
): void {
  const { files } = world.host;
  try {
    if (work !== undefined) closeDeltaNow(files, work);
    checkUpperFree(world, container);
    arrival?.recheck();
  } catch (error) {
    if (work !== undefined) reopenDelta(files, work);
    throw error;
  }
}

/** @param lowers of the final config. */
function arrive(
  version: VersionLayout,
  { layout: { config, finalConfig } }: Container,
  { from, mtimeNs, moved }: Arrival,
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
  { host: { files } }: World,
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
