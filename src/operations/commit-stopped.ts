/** Commits a stopped container: its working delta becomes a version where it lies, and the container gets a new one on top. */

import type { Version } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { branchForCommit, draftPending, refuseUnchanged, tryCounting } from '../plumbing/draft.js';
import { checkBases, layersBefore, layersOfContainer } from '../plumbing/layers.js';
import type { Repository } from '../plumbing/lookup.js';
import { checkOverlaySupported } from '../plumbing/overlay-support.js';
import { switchUpper } from '../plumbing/switch-upper.js';
import type { VersionedContainer } from '../store/containers.js';
import type { CommitOrder } from './commit-request.js';

export async function commitStopped(
  context: Context,
  repository: Repository,
  container: VersionedContainer,
  request: CommitOrder,
  hold: Disposable,
): Promise<Version> {
  const { layout, working } = container.versioned;
  const levels = await checkOverlaySupported(context, layout.delta, layout.work);
  const bases = checkBases(context, working.bases, request.acceptBase);
  const [head] = working.parents;
  const before = layersBefore(repository, head);
  const after = layersOfContainer(container.versioned);
  await refuseUnchanged(context, before, after, request);
  await tryCounting(context, before, after, container.name, levels);
  const branch = branchForCommit(repository, container.name, working.branch, head);
  const { message } = request;
  const author = await request.author;
  const present = draftPending(context, repository, container, before, { branch, message, author, bases });
  const { id, chain } = present.version;
  const mounted = present.keyframe === undefined ? {} : { mounted: [...present.keyframe.instead] };
  return await switchUpper(context, {
    command: 'commit',
    container,
    repository: repository.layout,
    pending: present,
    next: { container: container.name, branch, parents: [id], lowers: [...chain], bases, ...mounted },
    rootAttributesFrom: layout.delta,
    refs: new Map([[branch, id]]),
    hold,
  });
}
