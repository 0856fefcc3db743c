/** Commits a stopped container: its working delta becomes a version where it lies, and the container gets a new one on top. */

import type { Version } from '../model/version.js';
import type { VersionedContainer } from '../store/containers.js';
import type { CommitOrder } from './commit-request.js';
import { branchForCommit, draftPresent, refuseUnchanged, tryCounting } from './draft.js';
import { checkKept } from './kept.js';
import { checkBases, layersOfContainer, layersOfVersion } from './layers.js';
import type { Repository } from './lookup.js';
import { restack } from './restack.js';
import type { World } from './world.js';

export async function commitStopped(
  world: World,
  repository: Repository,
  container: VersionedContainer,
  request: CommitOrder,
  hold: Disposable,
): Promise<Version> {
  const { layout, working } = container.versioned;
  const levels = await checkKept(world, layout.delta, layout.work);
  const bases = checkBases(world, working.bases, request.acceptBase);
  const [head] = working.parents;
  const before = head === undefined ? [] : layersOfVersion(repository.layout, repository.history.get(head));
  const after = layersOfContainer(container.versioned);
  await refuseUnchanged(world, before, after, request);
  await tryCounting(world, before, after, container.name, levels);
  const branch = branchForCommit(repository, container.name, working.branch, head);
  const { message } = request;
  const author = await request.author;
  const present = draftPresent(world, repository, container, before, { branch, message, author, bases });
  const { id, chain } = present.version;
  const mounted = present.keyframe === undefined ? {} : { mounted: [...present.keyframe.instead] };
  return await restack(world, {
    command: 'commit',
    container,
    repository: repository.layout,
    present,
    next: { container: container.name, branch, parents: [id], lowers: [...chain], bases, ...mounted },
    model: layout.delta,
    refs: new Map([[branch, id]]),
    hold,
  });
}
