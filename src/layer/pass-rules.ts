/** What differs between the passes of a live copy over a running and over a frozen container. The walk is the same. */

import { type Files, isErrno, noEntry } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import type { Recursion } from '../model/job.js';
import type { HardLinkMap } from './hard-link-map.js';
import { removeEntry } from './removal.js';

export interface PassRules {
  /** Called for a path of the source that is not there any more. @throws ENOENT where that cannot be. */
  vanished(from: HostPath): void;
  /** True where `to` was copied already, although it is about to be copied now. */
  isPresent(to: HostPath): boolean;
  /** Runs the copying of one path to `to`. */
  attempt(to: HostPath, copying: Recursion<undefined>): Recursion<undefined>;
  /** Gives the copy of an inode one more name. */
  link(links: HardLinkMap<unknown>, inode: bigint, to: HostPath): void;
}

/** Errors of the machine. Others with a code are of one path: if they persist, the frozen pass throws them. */
const FATAL = ['EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EROFS'];

/**
 * The container changes what is copied: a path may vanish, or become something else, between two calls. Its copy is removed then, and the
 * frozen pass copies it.
 */
export function runningRules(files: Files): PassRules {
  return {
    vanished: () => undefined,
    isPresent: (to) => files.stat(to) !== undefined,
    *attempt(to, copying) {
      try {
        yield* copying;
      } catch (error) {
        if (!hasCode(error) || isErrno(error, ...FATAL)) throw error;
        yield removeEntry(files, to);
      }
    },
    // An inode with no room for one more name may have lost another one when the container is frozen: that is for the frozen pass.
    link: (links, inode, to) => links.link(inode, to),
  };
}

/** Nothing changes: whatever goes wrong is an error. */
export const FROZEN_RULES: PassRules = {
  vanished: (from) => {
    throw noEntry(from);
  },
  isPresent: () => false,
  attempt: (_to, copying) => copying,
  link: (links, inode, to) => links.linkOrMove(inode, to),
};

function hasCode(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}
