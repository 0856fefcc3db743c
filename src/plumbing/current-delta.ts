/** What becomes of the delta that a stopped container wrote to until now, once it gets a new one. */

import type { Container } from '../store/containers.js';
import type { RepositoryLayout, VersionLayout } from '../store/layout.js';
import { encodeSetAside, type SetAside } from '../store/set-aside.js';
import type { Step } from '../store/steps.js';
import type { Context } from './context.js';
import { type DeltaMove, moveSteps } from './delta-move.js';
import { ensureDirectory } from './staging.js';
import type { DraftedDelta } from './version-draft.js';
import { stagedVersion } from './version-files.js';

export type CurrentDelta = DeltaOfVersion | DiscardedDelta | DeltaSetAside;

/** It becomes a version. */
export interface DeltaOfVersion extends DraftedDelta {
  readonly kind: 'version';
  /** How it comes into the store, where it is not there yet. */
  readonly move?: DeltaMove;
}

/** Nothing was changed in it. */
interface DiscardedDelta {
  readonly kind: 'discard';
  readonly layout: VersionLayout;
}

/** It cannot become a version, and stays as it is. */
interface DeltaSetAside {
  readonly kind: 'set-aside';
  readonly layout: VersionLayout;
  readonly record: SetAside;
}

/** The delta that takes its place. */
export interface NewDelta {
  readonly layout: VersionLayout;
  /** The layers that it is to lie over, as absolute paths, top first. */
  readonly lowers: readonly string[];
  /** One of them is a keyframe that is made after the commit point. */
  readonly awaitsKeyframe: boolean;
}

/** The part that the current delta has in the transaction. */
export interface DeltaPlan {
  /** The layers that the new delta lies over at the commit point. */
  readonly lowers: readonly string[];
  readonly stage: () => void | Promise<void>;
  /** overlayfs's workdir beside it, to be closed at the commit point; undefined where it is not in the store yet. */
  readonly work: string | undefined;
  /** The last check, right after the commit point: throws where somebody uses the delta after all. */
  readonly verifyAfterSwap?: () => void;
  readonly forward: readonly Step[];
  readonly back: readonly Step[];
}

export function planCurrentDelta(
  context: Context,
  repository: RepositoryLayout,
  container: Container,
  current: CurrentDelta,
  next: NewDelta,
): DeltaPlan {
  switch (current.kind) {
    case 'version':
      return planVersion(context, repository, container, current, next);
    case 'discard':
      return {
        lowers: next.lowers,
        stage: () => undefined,
        work: current.layout.work,
        forward: leaveBehind(current.layout),
        back: [],
      };
    case 'set-aside':
      return planSetAside(context, repository, current, next);
  }
}

function planVersion(
  context: Context,
  repository: RepositoryLayout,
  container: Container,
  current: DeltaOfVersion,
  { layout, lowers, awaitsKeyframe }: NewDelta,
): DeltaPlan {
  const { move, draft } = current;
  const own = repository.version(draft.id);
  const version = stagedVersion(context, repository, container, current, awaitsKeyframe ? layout.working : undefined);
  const forward: Step[] = [{ do: 'release' }, ...version.forward];
  if (move === undefined) return { lowers, stage: version.stage, work: own.work, forward, back: version.back };
  const lowersBeforeMove = [move.from, ...lowers.slice(1)];
  return {
    lowers: lowersBeforeMove,
    stage: async () => {
      await move.stage();
      version.stage();
    },
    work: undefined,
    verifyAfterSwap: move.verifyAfterSwap,
    forward: [...moveSteps(move, own, container, { upper: layout.delta, lowersBeforeMove, lowers }), ...forward],
    back: [...version.back, ...move.back],
  };
}

/** A record says whose it was and why it is there. */
function planSetAside(
  { host: { files } }: Context,
  repository: RepositoryLayout,
  { layout, record }: DeltaSetAside,
  { lowers }: NewDelta,
): DeltaPlan {
  const staged = repository.stagedAside(layout.id);
  return {
    lowers,
    stage: () => {
      ensureDirectory(files, repository.asides);
      files.create(staged, encodeSetAside(record), 0o600);
    },
    work: layout.work,
    forward: [{ do: 'rename', from: staged, to: repository.aside(layout.id) }, ...leaveBehind(layout)],
    back: [{ do: 'unlink', path: staged }],
  };
}

/** Closes a delta on which nothing stands any more, so that an earlier mount cannot write to it either, and leaves it to gc. */
function leaveBehind(layout: VersionLayout): Step[] {
  return [
    { do: 'close-delta', work: layout.work },
    { do: 'unlink', path: layout.working },
  ];
}
