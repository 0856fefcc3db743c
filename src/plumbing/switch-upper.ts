/**
 * Puts a stopped container on a new working delta. The one that it wrote to until now becomes a version, is discarded, or is set
 * aside. This is the one way by which a container that is there gets another root file system; its commit point is the exchange
 * of the container's config.
 */

import { estimateMerge } from '../layer/space-estimate.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import { decodeManifest } from '../model/manifest.js';
import type { BranchName, Version, VersionId } from '../model/version.js';
import { closeDeltaNow, reopenDelta } from '../store/closed-delta.js';
import { stageConfig } from '../store/config-file.js';
import { type Container, lowersOf } from '../store/containers.js';
import type { RepositoryLayout, VersionLayout } from '../store/layout.js';
import { discardWorking, type Step } from '../store/steps.js';
import { type Transaction, transact } from '../store/transaction.js';
import type { Working } from '../store/working.js';
import type { Context } from './context.js';
import { type CurrentDelta, type DeltaOfVersion, type DeltaPlan, planCurrentDelta } from './current-delta.js';
import { checkUnmounted, checkUpperFree } from './hold.js';
import { runJob } from './run-job.js';
import { checkSpace, checkSpaceToSwitch } from './space.js';
import { checkConfigUnchanged, stackConfig, stageWorking } from './staging.js';

export interface UpperSwitch {
  readonly command: string;
  readonly container: Container;
  readonly repository: RepositoryLayout;
  readonly currentDelta: CurrentDelta;
  /** What the container stands on from then on. */
  readonly next: Working;
  /** The directory whose attributes the next `/` takes over, once all else is staged. */
  readonly rootAttributesFrom: string;
  readonly refs: ReadonlyMap<BranchName, VersionId>;
  /** Keeps the container stopped. It is released as soon as the container may start: before what changed is counted. */
  readonly hold: Disposable;
}

/** @returns the version that the current delta became, if it did. */
export function switchUpper(
  context: Context,
  request: UpperSwitch & { readonly currentDelta: DeltaOfVersion },
): Promise<Version>;
export function switchUpper(context: Context, request: UpperSwitch): Promise<Version | undefined>;
export async function switchUpper(context: Context, request: UpperSwitch): Promise<Version | undefined> {
  const { container, repository, currentDelta, next } = request;
  const layout = repository.version(newId(context.host.randomBytes));
  const plan = planCurrentDelta(context, repository, container, currentDelta, {
    layout,
    lowers: lowersOf(repository, container.name, next),
    awaitsKeyframe: next.mounted !== undefined,
  });
  const place = { repository, container: container.name, layout };
  const content = stackConfig(container.config, container.options, place, plan.lowers);
  await checkRoom(context, request);
  try {
    await transact(context.host, repository.operations, planTransaction(context, request, layout, plan, content));
  } catch (error) {
    throw currentDelta.kind === 'version' && request.command === 'commit' ? withVersion(error, currentDelta) : error;
  }
  if (currentDelta.kind !== 'version') return undefined;
  const { manifest } = repository.version(currentDelta.draft.id);
  return decodeManifest(context.host.files.read(manifest), manifest);
}

/** @param layout of the new delta. @param content of the new config. */
function planTransaction(
  context: Context,
  { command, container, repository, next, rootAttributesFrom, refs, hold }: UpperSwitch,
  layout: VersionLayout,
  plan: DeltaPlan,
  content: Buffer,
): Transaction {
  const { config, stagedConfig } = container.layout;
  return {
    operation: layout.id,
    time: context.host.now().toISOString(),
    command,
    subject: container.name,
    point: { from: stagedConfig, to: config, exchange: true },
    stage: async () => {
      await plan.stage();
      stageWorking(context, repository, layout, next, rootAttributesFrom);
      stageConfig(context.host.files, config, stagedConfig, content);
    },
    check: () => {
      checkConfigUnchanged(context, container);
      checkUnmounted(context, container);
    },
    verifyAfterSwap: () => closeAndCheck(context, container, plan),
    foreground: { runJob: (what, job) => runJob(context, what, job), release: () => hold[Symbol.dispose]() },
    forward: [
      { do: 'settle-config', config, staged: stagedConfig, base: container.configBytes.toString('latin1') },
      ...plan.forward,
      ...[...refs].map(([name, id]): Step => ({ do: 'ref', path: repository.branch(name), id })),
    ],
    back: [...discardWorking(layout), ...plan.back, { do: 'unlink', path: stagedConfig }],
  };
}

/** An operation that is done says which version it made, for programs. */
function withVersion(error: unknown, { draft: { id, number, container } }: DeltaOfVersion): unknown {
  if (!(error instanceof LxcvError) || error.code !== 'operation-pending') return error;
  return new LxcvError(error.code, error.message, error.hint, { cause: error, data: { container, id, number } });
}

/** @throws LxcvError `no-space` where there is no room for what is staged, and for a keyframe that is to be made. */
async function checkRoom(context: Context, { command, container, currentDelta }: UpperSwitch): Promise<void> {
  const { versioned } = container;
  if (command === 'checkout' && versioned !== undefined) {
    checkSpaceToSwitch(context, { ...container, versioned });
    return;
  }
  const merged = currentDelta.kind === 'version' ? (currentDelta.keyframe?.of ?? []) : [];
  const estimate = await runJob(context, 'looking for room', estimateMerge(context.host.files, merged));
  checkSpace(context, `the ${command} of ${container.name}`, estimate);
}

/**
 * Closes the current delta, and only then checks whether anything has it mounted: a start that no hold keeps off, by another path
 * of the lxcpath, has mounted it by then, or never will.
 */
function closeAndCheck(context: Context, container: Container, { work, verifyAfterSwap }: DeltaPlan): void {
  const { files } = context.host;
  try {
    if (work !== undefined) closeDeltaNow(files, work);
    checkUpperFree(context, container);
    verifyAfterSwap?.();
  } catch (error) {
    if (work !== undefined) reopenDelta(files, work);
    throw error;
  }
}
