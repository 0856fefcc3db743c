/**
 * How a delta comes into the store. LXC 5 does not start a container whose root file system is a symbolic link, so the delta
 * moves after the commit point: the first config mounts it where it is, as a lower directory, and such a one may become a link
 * at any time; the final config mounts it where it belongs.
 */

import { formatRootfsPath } from '../layer/overlayfs.js';
import type { Container } from '../store/containers.js';
import type { VersionLayout } from '../store/layout.js';
import type { Step } from '../store/steps.js';

export interface DeltaMove {
  /** Where the delta is. */
  readonly from: string;
  /** Its modification time, which some file systems change with a move. */
  readonly mtimeNs: bigint;
  readonly stage: () => Promise<void>;
  /** The last check, right after the commit point: throws where somebody uses the delta after all. */
  readonly verifyAfterSwap: () => void;
  /** What follows once the delta is in its place, and the final config too. */
  readonly moved: readonly Step[];
  readonly back: readonly Step[];
}

/** What the first config mounts, and the final one. */
interface Mounts {
  readonly upper: string;
  readonly lowersBeforeMove: readonly string[];
  readonly lowers: readonly string[];
}

/** The steps behind the commit point. */
export function moveSteps(
  { from, mtimeNs, moved }: DeltaMove,
  to: VersionLayout,
  { layout: { config, finalConfig } }: Container,
  { upper, lowersBeforeMove, lowers }: Mounts,
): Step[] {
  return [
    { do: 'move-in', from, to: to.delta, mtimeNs: `${mtimeNs}` },
    {
      do: 'change-rootfs',
      config,
      staged: finalConfig,
      was: formatRootfsPath(lowersBeforeMove, upper),
      is: formatRootfsPath(lowers, upper),
    },
    ...moved,
  ];
}
