/**
 * Commits a running container. Its upper directory cannot be switched while it runs, so it is copied: most of it while the
 * container runs, what changed meanwhile while it stands still; the container goes on writing to the same delta. The commit
 * point is the rename of the working delta's record, which makes the new version HEAD: the config does not change.
 */

import { readCopiedInodes, writeCopiedInodes } from '../layer/copied-inodes.js';
import { type EarlierCopy, LiveCopy } from '../layer/live-copy.js';
import { estimateCopy } from '../layer/space-estimate.js';
import { newId } from '../model/ids.js';
import { encodeManifest } from '../model/manifest.js';
import type { Base, BranchName, ContainerName, Version } from '../model/version.js';
import { branchForCommit } from '../plumbing/branch-names.js';
import { countOrRefuse, refuseUnchanged } from '../plumbing/changed.js';
import type { Context } from '../plumbing/context.js';
import { runHook, runLateHook } from '../plumbing/hooks.js';
import { checkBases, layersBefore, layersOfContainer, layersOfVersion } from '../plumbing/layers.js';
import type { Repository } from '../plumbing/lookup.js';
import { checkOverlaySupported } from '../plumbing/overlay-support.js';
import { runJob } from '../plumbing/run-job.js';
import { checkSpace } from '../plumbing/space.js';
import { privateFilesOf } from '../plumbing/staging.js';
import { draftVersion } from '../plumbing/version-draft.js';
import { stageVersionFiles, unstageVersionFiles } from '../plumbing/version-files.js';
import type { Versioned, VersionedContainer } from '../store/containers.js';
import type { RepositoryLayout, VersionLayout } from '../store/layout.js';
import type { Step } from '../store/steps.js';
import { transact } from '../store/transaction.js';
import { encodeWorking } from '../store/working.js';
import { catchUp, notStill, stoppedMeanwhile } from './catch-up.js';
import { type CommitOrder, MAX_PAUSE_MS } from './commit-request.js';

export async function commitRunning(
  context: Context,
  repository: Repository,
  container: VersionedContainer,
  request: CommitOrder,
): Promise<Version> {
  const { layout: source, working } = container.versioned;
  const [head] = working.parents;
  const branch = branchForCommit(repository, container.name, working.branch, head);
  const bases = checkBases(context, working.bases, request.acceptBase);
  const before = layersBefore(repository, head);
  const work = { container: container.name, before, after: layersOfContainer(container.versioned) };
  await refuseUnchanged(context, work, request.allowEmpty);
  const target = repository.layout.version(newId(context.host.randomBytes));
  const isFrozen = isOwnersFreeze(context, container.name);
  const copy = await prepareCopy(context, repository.layout, container, target);
  const copied = { target, copy, isFrozen, before, branch, bases };
  return await transact(context.host, repository.layout.operations, {
    operation: target.id,
    time: context.host.now().toISOString(),
    command: 'commit',
    subject: container.name,
    point: { from: source.stagedWorking, to: source.working },
    stage: () => stageCopy(context, repository, container, request, copied),
    forward: [
      { do: 'rename', from: target.stagedManifest, to: target.manifest },
      { do: 'ref', path: repository.layout.branch(branch), id: target.id },
    ],
    back: [
      ...thawUnless(isFrozen, context, container.name, target.freezeMark),
      ...unstageVersionFiles(target, privateFilesOf(container.config, container.layout)),
      { do: 'remove-copy', path: target.delta },
      { do: 'remove-copy', path: target.links },
      { do: 'unlink', path: target.sources },
      { do: 'unlink', path: target.work },
      { do: 'rmdir', path: target.root },
      { do: 'unlink', path: source.stagedWorking },
    ],
  });
}

/** @throws LxcvError `no-space` where there is no room for what is to be copied. */
async function prepareCopy(
  context: Context,
  repository: RepositoryLayout,
  { name, versioned }: VersionedContainer,
  target: VersionLayout,
): Promise<LiveCopy> {
  const { files } = context.host;
  const source = versioned.layout;
  const earlier = findEarlierCopy(context, repository, versioned);
  const estimate = estimateCopy(files, source.delta, earlier?.sources ?? [], files.sharesBlocks(source.root));
  checkSpace(context, `the commit of ${name}`, await runJob(context, 'looking for room', estimate));
  return new LiveCopy(files, source.delta, target.delta, target.links, earlier);
}

/** What a copy is to become. */
interface CopiedVersion {
  readonly target: VersionLayout;
  readonly copy: LiveCopy;
  /** Its owner froze the container. */
  readonly isFrozen: boolean;
  /** The layers that it is compared with, as absolute paths, top first. */
  readonly before: readonly string[];
  readonly branch: BranchName;
  readonly bases: readonly Base[];
}

/** Copies the delta, and writes all else of the version and the record of the working delta that will have it as HEAD. */
async function stageCopy(
  context: Context,
  repository: Repository,
  container: VersionedContainer,
  request: CommitOrder,
  { target, copy, isFrozen, before, branch, bases }: CopiedVersion,
): Promise<Version> {
  const { files } = context.host;
  const { layout: source, working } = container.versioned;
  const { name } = container;
  files.mkdir(target.root, 0o700);
  const { maxPauseMs = MAX_PAUSE_MS } = request;
  const pause = await copyLive(context, target, { repository: repository.layout, name, copy, isFrozen, maxPauseMs });
  await runJob(context, 'removing what only the copying needed', copy.end());
  writeCopiedInodes(files, target.sources, copy.trustedSources());
  await checkOverlaySupported(context, target.delta, source.work, name);
  const chain = [target.deltaLayer, ...working.lowers];
  const after = layersOfVersion(repository.layout, { chain, bases });
  const changes = await countOrRefuse(context, { container: name, before, after }, request.allowEmpty);
  const draft = draftVersion(context, repository, {
    id: target.id,
    container: name,
    branch,
    parents: working.parents,
    message: request.message,
    author: await request.author,
    chain,
    bases,
    pause,
  });
  const version = { ...draft, changes };
  const privates = privateFilesOf(container.config, container.layout);
  stageVersionFiles(context, target, container, encodeManifest(version), privates);
  files.create(target.work, '', 0o400);
  const record = { ...working, branch, bases: [...bases], parents: [target.id], copied: target.id };
  files.create(source.stagedWorking, encodeWorking(record), 0o600);
  return version;
}

interface Live {
  readonly repository: RepositoryLayout;
  readonly name: ContainerName;
  readonly copy: LiveCopy;
  /** Its owner froze it. */
  readonly isFrozen: boolean;
  readonly maxPauseMs: number;
}

/**
 * Copies the delta of a container that runs, or that its owner froze.
 * @returns for how long lxcv made it stand still, in milliseconds.
 */
async function copyLive(context: Context, target: VersionLayout, live: Live): Promise<number> {
  const { repository, name, copy, isFrozen, maxPauseMs } = live;
  const { host } = context;
  const copyRest = (tick: () => void) =>
    runJob(context, `copying what changed in ${name} meanwhile`, copy.copyFrozen(host.clocks(), tick));
  const started = host.monotonicMs();
  await runJob(context, `copying what ${name} wrote`, copy.copyRunning(host.clocks()));
  if (isFrozen) {
    await whileOwnersFreeze(context, name, copyRest);
    return 0;
  }
  await catchUp(context, { name, copy, maxPauseMs, tookMs: host.monotonicMs() - started });
  await runHook(context, repository, 'pre-freeze', name);
  try {
    // Its owner may have frozen it since.
    if (isOwnersFreeze(context, name)) {
      await whileOwnersFreeze(context, name, copyRest);
      return 0;
    }
    return await whileFrozen(context, target, live, copyRest);
  } finally {
    await runLateHook(context, repository, 'post-thaw', name);
  }
}

/** Acts while a container stands still. @returns for how long it did, in milliseconds. */
async function whileFrozen(
  { host, lxcpath }: Context,
  { freezeMark }: VersionLayout,
  { name, copy, maxPauseMs }: Live,
  act: (tick: () => void) => Promise<void>,
): Promise<number> {
  // From here on it may be frozen by lxcv: the mark has recovery thaw it where this process does not.
  host.files.create(freezeMark, '', 0o400);
  const freeze = await host.lxc.freeze(lxcpath, name, maxPauseMs).catch(async (error) => {
    throw (await host.lxc.state(lxcpath, name, { abort: host.signals.abort })) === 'stopped'
      ? stoppedMeanwhile(name)
      : error;
  });
  const check = (how?: 'thorough') => {
    const stillness = freeze.look(how);
    if (stillness !== 'frozen') throw notStill(stillness, name, maxPauseMs, copy);
  };
  let failure: { readonly error: unknown } | undefined;
  let pauseMs = 0;
  try {
    await act(check);
    check('thorough');
    pauseMs = Math.max(1, Math.round(host.monotonicMs() - freeze.since));
  } catch (error) {
    failure = { error };
  }
  try {
    await freeze[Symbol.asyncDispose]();
    host.files.unlink(freezeMark);
  } catch (error) {
    failure ??= { error };
  }
  if (failure !== undefined) throw failure.error;
  return pauseMs;
}

/** Acts on a container that its owner froze; it stays as it is. */
async function whileOwnersFreeze(
  { host, lxcpath }: Context,
  name: ContainerName,
  act: (tick: () => void) => Promise<void>,
): Promise<void> {
  using frozen = host.lxc.watchFrozen(lxcpath, name);
  const check = () => {
    const stillness = frozen?.look() ?? 'thawed';
    if (stillness !== 'frozen') throw notStill(stillness, name, 0, undefined);
  };
  check();
  await act(() => undefined);
  check();
}

function isOwnersFreeze({ host, lxcpath }: Context, name: ContainerName): boolean {
  using frozen = host.lxc.watchFrozen(lxcpath, name);
  return frozen !== undefined;
}

/** Thaws what lxcv froze, which the mark shows: without it, the container may have been frozen by its owner since. */
function thawUnless(isFrozen: boolean, { lxcpath }: Context, container: ContainerName, mark: string): Step[] {
  return isFrozen
    ? []
    : [
        { do: 'thaw', lxcpath, container, mark },
        { do: 'unlink', path: mark },
      ];
}

/** The newest copy that was made of a working delta, if one was. */
function findEarlierCopy(
  { host: { files } }: Context,
  repository: RepositoryLayout,
  { working: { copied } }: Versioned,
): EarlierCopy | undefined {
  if (copied === undefined) return undefined;
  const earlier = repository.version(copied);
  const isThere = files.stat(earlier.sources)?.type === 'file';
  return isThere ? { delta: earlier.delta, sources: readCopiedInodes(files, earlier.sources) } : undefined;
}
