/**
 * Commits a running container. Its delta cannot be re-stacked under a running root, so it is copied while the container stands
 * still; the container goes on writing to the same delta. The commit point is the rename of the working delta's record, which
 * makes the new version HEAD: the container's config does not change.
 */

import { copyDelta } from '../layer/delta.js';
import { newId } from '../model/ids.js';
import type { ContainerName, Version } from '../model/version.js';
import type { Container, Versioned } from '../store/containers.js';
import { transact } from '../store/transaction.js';
import { encodeWorking } from '../store/working.js';
import type { CommitRequest } from './commit-request.js';
import { branchForCommit, completeDraft, countOrRefuse } from './draft.js';
import { checkKept } from './kept.js';
import { checkBases, layersOfVersion } from './layers.js';
import type { Repository } from './lookup.js';
import { stageVersionFiles, unstageVersionFiles } from './restack.js';
import { privateFilesOf } from './staging.js';
import type { World } from './world.js';

export async function commitRunning(
  world: World,
  repository: Repository,
  container: Container & { readonly versioned: Versioned },
  request: Required<CommitRequest>,
): Promise<Version> {
  const { files } = world.host;
  const { layout: source, working } = container.versioned;
  const [head] = working.parents;
  const branch = branchForCommit(repository, container.name, working.branch, head);
  const bases = checkBases(world, working.bases, request.acceptBase);
  const layout = repository.layout.version(newId(world.host.randomBytes));
  const chain = [layout.deltaLayer, ...working.lowers];
  const privates = privateFilesOf(container.config, container.layout);
  const stagedRecord = `${source.root}/.working.staged`;
  let version: Version | undefined;
  await transact(files, repository.layout.operations, {
    operation: layout.id,
    time: world.host.now().toISOString(),
    command: 'commit',
    subject: container.name,
    point: { from: stagedRecord, to: source.working },
    stage: async () => {
      files.mkdir(layout.root, 0o700);
      const pause = await copyFrozen(world, container.name, source.delta, layout.delta);
      checkKept(world, layout.delta, source.work);
      const before = head === undefined ? [] : layersOfVersion(repository.layout, repository.history.get(head));
      version = completeDraft(world, repository, {
        ...{ id: layout.id, container: container.name, branch, parents: working.parents, chain, bases, pause },
        ...{ message: request.message, author: request.author },
        changes: countOrRefuse(world, before, layersOfVersion(repository.layout, { chain, bases }), request),
      });
      stageVersionFiles(world, layout, container, version, privates);
      files.create(layout.work, '', 0o400);
      files.create(stagedRecord, encodeWorking({ ...working, branch, bases, parents: [layout.id] }), 0o600);
    },
    forward: [
      { do: 'rename', from: layout.stagedManifest, to: layout.manifest },
      { do: 'ref', path: repository.layout.branch(branch), id: layout.id },
    ],
    back: [
      ...unstageVersionFiles(layout, privates),
      { do: 'remove-copy', path: layout.delta },
      { do: 'unlink', path: layout.work },
      { do: 'rmdir', path: layout.root },
      { do: 'unlink', path: stagedRecord },
    ],
  });
  return version as unknown as Version;
}

/** Copies a delta while its container stands still. @returns for how long it did, in milliseconds. */
async function copyFrozen(world: World, name: ContainerName, from: string, to: string): Promise<number> {
  const started = performance.now();
  {
    await using _ = await freeze(world, name);
    copyDelta(world.host.files, from, to);
  }
  return Math.round(performance.now() - started);
}

/** Freezes a container until disposal; one that its owner froze stays so. */
async function freeze({ host: { lxc }, lxcpath }: World, name: ContainerName): Promise<AsyncDisposable> {
  if ((await lxc.state(lxcpath, name)) === 'frozen') return { [Symbol.asyncDispose]: async () => {} };
  await lxc.freeze(lxcpath, name);
  return { [Symbol.asyncDispose]: () => lxc.unfreeze(lxcpath, name) };
}
