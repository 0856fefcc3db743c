/** Puts together what a version says of itself. */

import { diffTrees, listDifferences } from '../layer/diff.js';
import { planKeyframe, smallRun } from '../layer/keyframe.js';
import { fitsMountString, pinOptions } from '../layer/overlayfs.js';
import { countChanges, hasChange } from '../model/changes.js';
import { LxcvError } from '../model/errors.js';
import { runWithoutYielding } from '../model/job.js';
import type { Uncounted } from '../model/manifest.js';
import type { Author, Base, BranchName, ChangeCounts, ContainerName, Layer, VersionId } from '../model/version.js';
import { lowersOf, type VersionedContainer } from '../store/containers.js';
import type { VersionLayout } from '../store/layout.js';
import type { PlannedKeyframe } from '../store/steps.js';
import type { Context } from './context.js';
import { layersOfContainer } from './layers.js';
import { checkReadable, type Repository } from './lookup.js';
import { runJob } from './run-job.js';

export interface Draft {
  readonly id: VersionId;
  readonly container: ContainerName;
  readonly branch: BranchName;
  readonly parents: readonly VersionId[];
  readonly message: string;
  readonly author: Author;
  readonly chain: readonly Layer[];
  readonly bases: readonly Base[];
  readonly pause?: number;
}

/** The version that a draft becomes, as the next of its repository. */
export function completeDraft(context: Context, { history, name }: Repository, draft: Draft): Uncounted {
  return {
    ...draft,
    number: history.nextNumber,
    repository: name,
    parents: draft.parents.map((id) => history.asParent(id)),
    message: draft.message.trimEnd(),
    time: context.host.now().toISOString(),
  };
}

/**
 * The version that a stopped container's working delta becomes.
 * @param before the layers that it is compared with, as absolute paths, top first.
 */
export function draftPending(
  context: Context,
  repository: Repository,
  { name, versioned }: VersionedContainer,
  before: readonly string[],
  draft: Pick<Draft, 'branch' | 'message' | 'author' | 'bases'>,
): PendingVersion {
  const { layout, working } = versioned;
  const whole = [layout.deltaLayer, ...working.lowers];
  const { chain, keyframe } = shortenChain(context, repository, layout, name, whole, draft.bases);
  const { parents } = working;
  return {
    version: completeDraft(context, repository, { ...draft, id: layout.id, container: name, parents, chain }),
    keyframe,
    before,
    after: layersOfContainer(versioned),
  };
}

/** The branch that a commit goes to: the one the container is on or, detached, a new one, so that a branch keeps every version. */
export function branchForCommit(
  repository: Repository,
  container: ContainerName,
  branch: BranchName | null,
  head: VersionId | undefined,
): BranchName {
  if (branch === null) {
    const own = head === undefined ? container : `${container}-v${repository.history.get(head).number}`;
    return freeBranchName(repository, own);
  }
  checkReadable(repository, branch);
  return branch;
}

/** Of a longer name the beginning is taken: see model/names.ts. */
const BRANCH_NAME_MAX = 255;

/** The name, or the first of NAME-2, NAME-3, ... that no branch has. */
export function freeBranchName({ branches, unreadable }: Repository, name: string): BranchName {
  const candidate = (count: number) => {
    const end = count === 1 ? '' : `-${count}`;
    return `${name.slice(0, BRANCH_NAME_MAX - end.length)}${end}` as BranchName;
  };
  let count = 1;
  while (branches.has(candidate(count)) || unreadable.has(candidate(count))) count += 1;
  return candidate(count);
}

/** @throws LxcvError `nothing-to-commit` where the layers `after` change nothing in `before`, unless that is allowed. */
export async function refuseUnchanged(
  context: Context,
  before: readonly string[],
  after: readonly string[],
  { allowEmpty, container }: { readonly allowEmpty: boolean; readonly container: ContainerName },
): Promise<void> {
  if (!allowEmpty && !(await changesAnything(context, before, after, container))) throw nothingToCommit(container);
}

/** From here on it is tried whether there are open files enough to count what changed: each level takes one for each layer. */
const DEEP_LEVELS = 64;

/**
 * Tries whether what changed can be counted, where a delta is so deep that it might not: of a stopped container that is done
 * behind the commit point, where it is too late to refuse.
 * @param levels of the delta, as `checkKept` tells them.
 */
export async function tryCounting(
  context: Context,
  before: readonly string[],
  after: readonly string[],
  container: ContainerName,
  levels: number,
): Promise<void> {
  if (levels < DEEP_LEVELS) return;
  const changed = diffTrees(context.host.files, before, after, { skipContent: true });
  await runJob(context, `looking how deep ${container} goes`, countChanges(changed));
}

/** True where the layers `after` of a container change anything in the layers `before`. */
export function changesAnything(
  context: Context,
  before: readonly string[],
  after: readonly string[],
  container: ContainerName,
): Promise<boolean> {
  const changed = hasChange(listDifferences(context.host.files, before, after, { skipContent: true }));
  return runJob(context, `looking for what changed in ${container}`, changed);
}

/**
 * What the layers `after` change in the layers `before`.
 * @throws LxcvError `nothing-to-commit` where that is nothing, unless it is allowed.
 */
export async function countOrRefuse(
  context: Context,
  before: readonly string[],
  after: readonly string[],
  { allowEmpty, container }: { readonly allowEmpty: boolean; readonly container: ContainerName },
): Promise<ChangeCounts> {
  const counting = countChanges(diffTrees(context.host.files, before, after, { skipContent: true }));
  const counts = await runJob(context, `counting what changed in ${container}`, counting);
  if (allowEmpty || counts.added + counts.modified + counts.removed > 0) return counts;
  throw nothingToCommit(container);
}

function nothingToCommit(container: ContainerName): LxcvError {
  return new LxcvError(
    'nothing-to-commit',
    `nothing changed in ${container} since its last version`,
    'To make a version all the same: --allow-empty.',
  );
}

/** A chain that is short enough for good, and the keyframe that must be made for it, if one must. */
interface ShortChain {
  readonly chain: readonly Layer[];
  readonly keyframe: PlannedKeyframe | undefined;
}

/** The version that a stopped container's delta becomes. */
export interface PendingVersion {
  readonly version: Uncounted;
  /** To be made with it. */
  readonly keyframe: ShortChain['keyframe'];
  /** What it is compared with: the layers of its first parent or, of a first version, its bases; absolute paths, top first. */
  readonly before: readonly string[];
  /** The layers of its own tree, without the keyframe: those that it shares with `before` are not read. */
  readonly after: readonly string[];
}

/**
 * Shortens the chain of a version by a keyframe where that is due. A whole root file system at its end is never merged.
 * @param layout of the version, whose delta is the chain's top: the keyframe lies beside it.
 */
function shortenChain(
  { host: { files } }: Context,
  { layout: repository }: Repository,
  layout: VersionLayout,
  container: ContainerName,
  chain: readonly Layer[],
  bases: readonly Base[],
): ShortChain {
  const mergeable = bases.length > 0 ? chain : chain.slice(0, -1);
  const shorten = (count: number, rank: number) =>
    count === 0 ? chain : [layout.keyframeLayer(rank), ...chain.slice(count)];
  // A version of the running container will have one layer more than that is mounted on.
  const fits = (merged: number) =>
    fitsMountString(
      lowersOf(repository, container, { lowers: [layout.deltaLayer, ...shorten(merged, 1)], bases: [...bases] }),
      layout.delta,
      pinOptions(undefined),
    );
  const paths = mergeable.map((layer) => repository.layer(layer));
  const countSmall = () => runWithoutYielding(smallRun(files, paths));
  const plan = planKeyframe(mergeable, fits, countSmall);
  if (plan === undefined) return { chain, keyframe: undefined };
  const layers = [...chain.map((layer) => repository.layer(layer)), ...bases.map((base) => base.path)];
  const [of, below] = [layers.slice(0, plan.count), layers.slice(plan.count)];
  return {
    chain: shorten(plan.count, plan.rank),
    keyframe: { path: layout.keyframe(plan.rank), of, below, instead: chain },
  };
}
