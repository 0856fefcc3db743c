/** Commits a stopped container: its working delta becomes a version where it lies, and the container gets a new one on top. */

import type { Version } from '../model/version.js';
import { branchForCommit } from '../plumbing/branch-names.js';
import { checkCountable, refuseUnchanged } from '../plumbing/changed.js';
import type { Context } from '../plumbing/context.js';
import { checkBases, layersBefore, layersOfContainer } from '../plumbing/layers.js';
import type { Repository } from '../plumbing/lookup.js';
import { checkOverlaySupported } from '../plumbing/overlay-support.js';
import { switchUpper } from '../plumbing/switch-upper.js';
import { draftWorkingDelta } from '../plumbing/version-draft.js';
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
  const work = {
    container: container.name,
    before: layersBefore(repository, head),
    after: layersOfContainer(container.versioned),
  };
  await refuseUnchanged(context, work, request.allowEmpty);
  await checkCountable(context, work, levels);
  const branch = branchForCommit(repository, container.name, working.branch, head);
  const { message } = request;
  const author = await request.author;
  const drafted = draftWorkingDelta(context, repository, container, work, { branch, message, author, bases });
  const { id, chain } = drafted.draft;
  const mounted = drafted.keyframe && [...drafted.keyframe.instead];
  return await switchUpper(context, {
    command: 'commit',
    container,
    repository: repository.layout,
    currentDelta: { kind: 'version', ...drafted },
    next: { container: container.name, branch, parents: [id], lowers: [...chain], bases, mounted },
    rootAttributesFrom: layout.delta,
    refs: new Map([[branch, id]]),
    hold,
  });
}
