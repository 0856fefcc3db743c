/** Checks whether there is space for an operation before it begins. Where it runs out all the same, the operation is rolled back. */

import { dirname } from 'node:path';
import type { SpaceEstimate } from '../layer/space-estimate.js';
import { LxcvError } from '../model/errors.js';
import { formatBytes, formatCount } from '../model/units.js';
import type { Versioned, VersionedContainer } from '../store/containers.js';
import { storeRoot } from '../store/layout.js';
import type { Context } from './context.js';
import type {} from './lookup.js';

/**
 * What every operation writes whatever it is about: records, a config, an empty delta, a few directories. On ext4 that was 8
 * blocks and 5 inodes for a commit, 19 and 17 for the first one, which makes the repository, and 10 and 8 for a checkout.
 */
const BOOKKEEPING: SpaceEstimate = { bytes: 256 << 10, inodes: 24 };

/**
 * What a checkout in place needs, so that one can go back where a container has filled the disk: 16 KiB on ext4 with blocks of 1 KiB, 32
 * KiB with blocks of 4 KiB, 8 KiB on btrfs; xfs, which makes inodes by the chunk, may need more than 64 KiB. Where it does, all is
 * rolled back.
 */
const SWITCH: SpaceEstimate = { bytes: 32 << 10, inodes: 12 };

const HINT = 'Free some, and run the command again. Nothing was changed.';

/**
 * @param what names the operation: `the commit of mysql`.
 * @param estimate what it makes besides its bookkeeping, all in the store.
 * @throws LxcvError `no-space`.
 */
export function checkSpace(
  { host: { files }, lxcpath }: Context,
  what: string,
  estimate: SpaceEstimate = { bytes: 0, inodes: 0 },
): void {
  const root = storeRoot(files, lxcpath);
  const store = files.statTarget(root) === undefined ? dirname(root) : root;
  const containers = files.statTarget(lxcpath) === undefined ? undefined : files.free(lxcpath);
  checkPlace(files.free(store), store, what, {
    bytes: BOOKKEEPING.bytes + estimate.bytes,
    inodes: BOOKKEEPING.inodes + estimate.inodes,
  });
  if (containers !== undefined) checkPlace(containers, lxcpath, what, BOOKKEEPING);
}

/** The same of a checkout in place. A keyframe is left out where there is no room for it. */
export function checkSpaceToSwitch(
  { host: { files }, lxcpath }: Context,
  { name, versioned }: VersionedContainer,
): void {
  for (const place of [storeRoot(files, lxcpath), lxcpath])
    checkPlace(files.free(place), place, `the checkout of ${name}`, SWITCH, freeing(versioned));
}

/** A checkout in place that found no room after all, and was rolled back. */
export function noSpaceToSwitch({ name, versioned }: VersionedContainer, cause: Error): LxcvError {
  const message = `the checkout of ${name} found no space left on the device (${cause.message})`;
  return new LxcvError('no-space', message, freeing(versioned), { cause });
}

/** What a full disk is mostly full of: only who knows the container knows what of it is not needed. */
function freeing({ layout }: Versioned): string {
  return `See what the container wrote since its last version, and remove what is not needed: du -xah ${layout.delta} | sort -h | tail. Nothing was changed.`;
}

function checkPlace(free: SpaceEstimate, place: string, what: string, need: SpaceEstimate, hint = HINT): void {
  if (free.bytes >= need.bytes && free.inodes >= need.inodes) return;
  const [needed, left] =
    free.bytes < need.bytes
      ? [formatBytes(need.bytes), formatBytes(free.bytes)]
      : [formatCount(need.inodes, 'inode', 'inodes'), formatCount(free.inodes, 'inode', 'inodes')];
  throw new LxcvError(
    'no-space',
    `${what} may need ${needed}, and no more space is left on the file system of ${place} than ${left}`,
    hint,
  );
}
