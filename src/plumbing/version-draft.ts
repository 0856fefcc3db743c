/** Drafts: versions before their changes are counted. */

import type { Uncounted } from '../model/manifest.js';
import type { Version, VersionId } from '../model/version.js';
import type { VersionedContainer } from '../store/containers.js';
import { type PlannedChain, planChain } from './chain.js';
import type { Work } from './changed.js';
import type { Context } from './context.js';
import type { Repository } from './lookup.js';

/** What a draft is made from; the repository adds the rest. */
interface DraftParts
  extends Pick<Version, 'id' | 'container' | 'branch' | 'message' | 'author' | 'chain' | 'bases' | 'pause'> {
  readonly parents: readonly VersionId[];
}

/** The next version of the repository. */
export function draftVersion(context: Context, { history, name }: Repository, parts: DraftParts): Uncounted {
  return {
    ...parts,
    number: history.nextNumber,
    repository: name,
    parents: parts.parents.map((id) => history.asParent(id)),
    message: parts.message.trimEnd(),
    time: context.host.now().toISOString(),
  };
}

/** The version that a delta becomes where it lies. */
export interface DraftedDelta {
  readonly draft: Uncounted;
  readonly keyframe: PlannedChain['keyframe'];
  /** What it is compared with: the layers of its first parent or, of a first version, its bases; absolute paths, top first. */
  readonly before: readonly string[];
  /** The layers of its own tree, without the keyframe: those that it shares with `before` are not read. */
  readonly after: readonly string[];
}

/** The version that the working delta of a stopped container becomes. */
export function draftWorkingDelta(
  context: Context,
  repository: Repository,
  { name, versioned }: VersionedContainer,
  { before, after }: Work,
  parts: Pick<DraftParts, 'branch' | 'message' | 'author' | 'bases'>,
): DraftedDelta {
  const { layout, working } = versioned;
  const place = { repository: repository.layout, container: name, layout };
  const whole = [layout.deltaLayer, ...working.lowers];
  const { chain, keyframe } = planChain(context, place, { chain: whole, bases: parts.bases });
  const { parents } = working;
  const draft = draftVersion(context, repository, { ...parts, id: layout.id, container: name, parents, chain });
  return { draft, keyframe, before, after };
}
