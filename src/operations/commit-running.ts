/**
 * Commits a running container. Its delta cannot be re-stacked under a running root, so it is copied: most of it while the
 * container runs, what changed meanwhile while it stands still; the container goes on writing to the same delta. The commit
 * point is the rename of the working delta's record, which makes the new version HEAD: the config does not change.
 */

import { extentOfCopy } from '../layer/extent.js';
import { type EarlierCopy, LiveCopy } from '../layer/live-copy.js';
import { readSources, writeSources } from '../layer/source-list.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import { encodeManifest } from '../model/manifest.js';
import type { ContainerName, Version } from '../model/version.js';
import type { Container, Versioned } from '../store/containers.js';
import type { RepositoryLayout } from '../store/layout.js';
import type { Step } from '../store/steps.js';
import { transact } from '../store/transaction.js';
import { encodeWorking } from '../store/working.js';
import type { CommitOrder } from './commit-request.js';
import { branchForCommit, completeDraft, countOrRefuse, refuseUnchanged } from './draft.js';
import { runHook, runLateHook } from './hooks.js';
import { checkKept } from './kept.js';
import { checkBases, layersOfContainer, layersOfVersion } from './layers.js';
import type { Repository } from './lookup.js';
import { stageVersionFiles, unstageVersionFiles } from './restack.js';
import { runJob } from './run-job.js';
import { checkSpace } from './space.js';
import { privateFilesOf } from './staging.js';
import type { World } from './world.js';

export async function commitRunning(
  world: World,
  repository: Repository,
  container: Container & { readonly versioned: Versioned },
  request: CommitOrder,
): Promise<Version> {
  const { files } = world.host;
  const { layout: source, working } = container.versioned;
  const [head] = working.parents;
  const branch = branchForCommit(repository, container.name, working.branch, head);
  const bases = checkBases(world, working.bases, request.acceptBase);
  const before = head === undefined ? [] : layersOfVersion(repository.layout, repository.history.get(head));
  await refuseUnchanged(world, before, layersOfContainer(container.versioned), request);
  const layout = repository.layout.version(newId(world.host.randomBytes));
  const chain = [layout.deltaLayer, ...working.lowers];
  const privates = privateFilesOf(container.config, container.layout);
  const stagedRecord = `${source.root}/.working.staged`;
  const isFrozen = (await world.host.lxc.state(world.lxcpath, container.name)) === 'frozen';
  const earlier = findEarlierCopy(world, repository.layout, container.versioned);
  const copy = new LiveCopy(files, source.delta, layout.delta, layout.links, earlier);
  const shares = files.sharesBlocks(source.root);
  const extent = extentOfCopy(files, source.delta, earlier?.sources ?? [], shares);
  checkSpace(world, `the commit of ${container.name}`, await runJob(world, 'looking for room', extent));
  let version: Version | undefined;
  await transact(world.host, repository.layout.operations, {
    operation: layout.id,
    time: world.host.now().toISOString(),
    command: 'commit',
    subject: container.name,
    point: { from: stagedRecord, to: source.working },
    stage: async () => {
      files.mkdir(layout.root, 0o700);
      const pause = await copyLive(world, repository.layout, container.name, copy, isFrozen);
      await runJob(world, 'removing what only the copying needed', copy.end());
      writeSources(files, layout.sources, copy.trustedSources());
      await checkKept(world, layout.delta, source.work);
      const after = layersOfVersion(repository.layout, { chain, bases });
      const changes = await countOrRefuse(world, before, after, request);
      const draft = completeDraft(world, repository, {
        ...{ id: layout.id, container: container.name, branch, parents: working.parents, chain, bases, pause },
        ...{ message: request.message, author: await request.author },
      });
      version = { ...draft, changes };
      stageVersionFiles(world, layout, container, encodeManifest(version), privates);
      files.create(layout.work, '', 0o400);
      files.create(
        stagedRecord,
        encodeWorking({ ...working, branch, bases, parents: [layout.id], copied: layout.id }),
        0o600,
      );
    },
    forward: [
      { do: 'rename', from: layout.stagedManifest, to: layout.manifest },
      { do: 'ref', path: repository.layout.branch(branch), id: layout.id },
    ],
    back: [
      ...thawUnless(isFrozen, world, container.name),
      ...unstageVersionFiles(layout, privates),
      { do: 'remove-copy', path: layout.delta },
      { do: 'remove-copy', path: layout.links },
      { do: 'unlink', path: layout.sources },
      { do: 'unlink', path: layout.work },
      { do: 'rmdir', path: layout.root },
      { do: 'unlink', path: stagedRecord },
    ],
  });
  return version as unknown as Version;
}

/**
 * Copies the delta of a container that runs, or that its owner froze.
 * @returns for how long lxcv made it stand still, in milliseconds.
 */
async function copyLive(
  world: World,
  repository: RepositoryLayout,
  name: ContainerName,
  copy: LiveCopy,
  isFrozen: boolean,
): Promise<number> {
  const copyRest = () =>
    runJob(world, `copying what changed in ${name} meanwhile`, copy.copyFrozen(world.host.clocks()));
  await runJob(world, `copying what ${name} wrote`, copy.copyRunning(world.host.clocks()));
  if (isFrozen) {
    await copyRest();
    return 0;
  }
  await runHook(world, repository, 'pre-freeze', name);
  try {
    return await whileFrozen(world, name, copyRest);
  } finally {
    await runLateHook(world, repository, 'post-thaw', name);
  }
}

/** Acts while a container stands still. @returns for how long it did, in milliseconds. */
async function whileFrozen({ host, lxcpath }: World, name: ContainerName, act: () => Promise<void>): Promise<number> {
  await using freeze = await host.lxc.freeze(lxcpath, name).catch(async (error) => {
    throw (await host.lxc.state(lxcpath, name)) === 'running' ? error : stoppedMeanwhile(name);
  });
  await act();
  return Math.max(1, Math.round(host.monotonicMs() - freeze.since));
}

function thawUnless(isFrozen: boolean, { lxcpath }: World, container: ContainerName): Step[] {
  return isFrozen ? [] : [{ do: 'thaw', lxcpath, container }];
}

/** The newest copy that was made of a working delta, if one was. */
function findEarlierCopy(
  { host: { files } }: World,
  repository: RepositoryLayout,
  { working: { copied } }: Versioned,
): EarlierCopy | undefined {
  if (copied === undefined) return undefined;
  const layout = repository.version(copied);
  return files.stat(layout.sources) && { delta: layout.delta, sources: readSources(files, layout.sources) };
}

function stoppedMeanwhile(name: ContainerName): LxcvError {
  return new LxcvError('container-in-use', `${name} stopped while it was committed`, 'Nothing was done. Try again.');
}
