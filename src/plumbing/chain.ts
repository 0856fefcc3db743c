/** The chain of a new version: short enough to be mounted. */

import { planKeyframe, smallRun } from '../layer/keyframe.js';
import { fitsMountString, pinOptions } from '../layer/overlayfs.js';
import { runWithoutYielding } from '../model/job.js';
import type { Layer, Version } from '../model/version.js';
import { lowersOf } from '../store/containers.js';
import type { PlannedKeyframe } from '../store/steps.js';
import type { Context } from './context.js';
import { layersOfVersion } from './layers.js';
import type { DeltaPlace } from './staging.js';

export interface PlannedChain {
  readonly chain: readonly Layer[];
  /** To be made with the version, where the chain names one. */
  readonly keyframe: PlannedKeyframe | undefined;
}

/**
 * Shortens a chain by a keyframe where one is due. A whole root file system at its end is never merged.
 * @param place of the delta that is the chain's top: the keyframe lies beside it.
 */
export function planChain(
  { host: { files } }: Context,
  { repository, container, layout }: DeltaPlace,
  { chain, bases }: Pick<Version, 'chain' | 'bases'>,
): PlannedChain {
  const mergeable = bases.length > 0 ? chain : chain.slice(0, -1);
  const shorten = (count: number, rank: number) =>
    count === 0 ? chain : [layout.keyframeLayer(rank), ...chain.slice(count)];
  // A version that is committed while the container runs has one layer more than is mounted.
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
  const layers = layersOfVersion(repository, { chain, bases });
  return {
    chain: shorten(plan.count, plan.rank),
    keyframe: {
      path: layout.keyframe(plan.rank),
      of: layers.slice(0, plan.count),
      below: layers.slice(plan.count),
      instead: chain,
    },
  };
}
