/** Commits a stopped container: its working delta becomes a version where it lies, and the container gets a new one on top. */

import type { Version } from '../model/version.js';
import type { Container, Versioned } from '../store/containers.js';
import type { CommitRequest } from './commit-request.js';
import { branchForCommit, countOrRefuse, draftPresent } from './draft.js';
import { checkKept } from './kept.js';
import { checkBases, layersOfContainer, layersOfVersion } from './layers.js';
import type { Repository } from './lookup.js';
import { restack } from './restack.js';
import type { World } from './world.js';

export async function commitStopped(
  world: World,
  repository: Repository,
  container: Container & { readonly versioned: Versioned },
  request: Required<CommitRequest>,
): Promise<Version> {
  const { layout, working } = container.versioned;
  await checkKept(world, layout.delta, layout.work);
  const bases = checkBases(world, working.bases, request.acceptBase);
  const [head] = working.parents;
  const before = head === undefined ? [] : layersOfVersion(repository.layout, repository.history.get(head));
  const changes = await countOrRefuse(world, before, layersOfContainer(container.versioned), request);
  const branch = branchForCommit(repository, container.name, working.branch, head);
  const { message, author } = request;
  const present = draftPresent(world, repository, container, { branch, message, author, bases, changes });
  const { version } = present;
  await restack(world, {
    command: 'commit',
    container,
    repository: repository.layout,
    present,
    next: { container: container.name, branch, parents: [version.id], lowers: [...version.chain], bases },
    model: layout.delta,
    refs: new Map([[branch, version.id]]),
  });
  return version;
}
