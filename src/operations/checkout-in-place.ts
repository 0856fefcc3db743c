/** Switches a stopped container to a version. Uncommitted work becomes a version first; name and addresses stay. */

import { isErrno, isSystemError } from '../host/host.js';
import { LxcvError } from '../model/errors.js';
import type { CheckoutOutcome } from '../model/results.js';
import type { Author, BranchName, ContainerName, Layer, VersionId } from '../model/version.js';
import { branchForCommit } from '../plumbing/branch-names.js';
import { checkCountable, isChanged } from '../plumbing/changed.js';
import type { Context } from '../plumbing/context.js';
import type { CurrentDelta } from '../plumbing/current-delta.js';
import type { FoundRevision } from '../plumbing/find-revision.js';
import { holdStopped } from '../plumbing/hold.js';
import { checkBases, checkLayers, checkUnedited, layersBefore, layersOfContainer } from '../plumbing/layers.js';
import { type Repository, readRepository, refsAt, requireVersioned } from '../plumbing/lookup.js';
import { checkOverlaySupported } from '../plumbing/overlay-support.js';
import { whileStopped } from '../plumbing/restart.js';
import { noSpaceToSwitch } from '../plumbing/space.js';
import { switchUpper } from '../plumbing/switch-upper.js';
import { unlessDestroyed } from '../plumbing/unless-destroyed.js';
import { draftWorkingDelta } from '../plumbing/version-draft.js';
import type { VersionedContainer } from '../store/containers.js';
import type { SetAside } from '../store/set-aside.js';
import { lockRepository } from '../store/store.js';
import { branchInPlace } from './checkout-branch.js';
import type { CheckoutRequest } from './checkout-request.js';

export async function switchInPlace(
  context: Context,
  request: CheckoutRequest,
  found: FoundRevision,
  name: ContainerName,
): Promise<CheckoutOutcome> {
  using layout = await lockRepository(context.host, context.lxcpath, found.repository.name, `checkout ${name}`);
  const repository = readRepository(context, layout);
  const container = requireVersioned(context, name);
  checkUnedited(container);
  using hold = await holdStopped(context, container);
  const act = (held: Disposable) =>
    unlessDestroyed(context, container, () => switchStopped(context, request, repository, found, container, held));
  if (hold !== undefined) return await act(hold);
  if (!request.restart) throw running(name);
  return await whileStopped(context, layout, container, act);
}

async function switchStopped(
  context: Context,
  request: CheckoutRequest,
  repository: Repository,
  found: FoundRevision,
  container: VersionedContainer,
  hold: Disposable,
): Promise<CheckoutOutcome> {
  const { version } = found;
  const { working } = container.versioned;
  checkLayers(context, repository.layout, version);
  const bases = checkBases(context, version.bases, request.acceptBase);
  const branch = branchInPlace(context, request, repository, found, container.name, working.branch);
  const kept = await keepWork(context, request, repository, container, branch);
  const saved = await switchUpper(context, {
    command: 'checkout',
    container,
    repository: repository.layout,
    currentDelta: kept.delta,
    next: { container: container.name, branch, parents: [version.id], lowers: [...version.chain], bases },
    rootAttributesFrom: repository.layout.layer(version.chain[0] as Layer),
    refs: new Map([...kept.refs, ...(branch === null ? [] : ([[branch, version.id]] as const))]),
    hold,
  }).catch((error) => {
    throw isErrno(error, 'ENOSPC', 'EDQUOT') ? noSpaceToSwitch(container, error) : error;
  });
  const refs = refsAt(readRepository(context, repository.layout), version.id);
  const setAside =
    kept.delta.kind === 'set-aside' ? { path: kept.delta.layout.delta, reason: kept.delta.record.reason } : undefined;
  return { container: container.name, repository: repository.name, version, refs, branch, saved, setAside };
}

/** What becomes of the work that was not committed, and the branch that it is on then. */
interface KeptWork {
  readonly delta: CurrentDelta;
  readonly refs: ReadonlyMap<BranchName, VersionId>;
}

/**
 * Decides what becomes of the work that was not committed. Whatever is wrong with it must not keep anybody from going back to a version: the
 * root of the container may have made it so.
 */
async function keepWork(
  context: Context,
  request: CheckoutRequest,
  repository: Repository,
  container: VersionedContainer,
  next: BranchName | null,
): Promise<KeptWork> {
  const author = await context.host.author();
  try {
    return await makeVersionOfWork(context, request, repository, container, next, author);
  } catch (error) {
    if (!isOfContent(error)) throw error;
    const { layout, working } = container.versioned;
    const record: SetAside = {
      container: container.name,
      version: working.parents[0] ?? null,
      time: context.host.now().toISOString(),
      reason: error.message,
    };
    return { delta: { kind: 'set-aside', layout, record }, refs: new Map() };
  }
}

/** True for an error of reading what the container held: something that overlayfs would not keep, that is too deep, or unreadable. */
function isOfContent(error: unknown): error is Error {
  if (error instanceof LxcvError) return ['delta-not-keepable', 'base-missing', 'store-damaged'].includes(error.code);
  return isSystemError(error);
}

/** A version on the branch that the container leaves, or on a new one; nothing where nothing was changed. */
async function makeVersionOfWork(
  context: Context,
  request: CheckoutRequest,
  repository: Repository,
  container: VersionedContainer,
  next: BranchName | null,
  author: Author,
): Promise<KeptWork> {
  const { layout, working } = container.versioned;
  const levels = await checkOverlaySupported(context, layout.delta, layout.work);
  const [head] = working.parents;
  const work = {
    container: container.name,
    before: layersBefore(repository, head),
    after: layersOfContainer(container.versioned),
  };
  if (!(await isChanged(context, work))) return { delta: { kind: 'discard', layout }, refs: new Map() };
  await checkCountable(context, work, levels);
  const branch = branchForCommit(repository, container.name, working.branch === next ? null : working.branch, head);
  const drafted = draftWorkingDelta(context, repository, container, work, {
    branch,
    bases: working.bases,
    author,
    message: `Work on ${container.name} before the checkout of ${request.revision}`,
  });
  return { delta: { kind: 'version', ...drafted }, refs: new Map([[branch, drafted.draft.id]]) };
}

function running(name: ContainerName): LxcvError {
  return new LxcvError(
    'container-running',
    `${name} is running, and a checkout in place changes its root file system`,
    `Stop it first (lxc-stop -n ${name}), or let lxcv do so and start it again: --restart`,
  );
}
