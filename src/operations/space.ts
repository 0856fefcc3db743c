/** Looks whether there is room for an operation before it begins. Where that is not enough after all, it is taken back. */

import { dirname } from 'node:path';
import type { Extent } from '../layer/extent.js';
import { formatBytes, formatCount } from '../model/amount.js';
import { LxcvError } from '../model/errors.js';
import { storeRoot } from '../store/layout.js';
import type { World } from './world.js';

/**
 * What every operation writes whatever it is about: records, a config, an empty delta, a few directories. On ext4 that was 8
 * blocks and 5 inodes for a commit, 19 and 17 for the first one, which makes the repository, and 10 and 8 for a checkout.
 */
const BOOKKEEPING: Extent = { bytes: 256 << 10, inodes: 24 };

/**
 * @param what names the operation: `the commit of mysql`.
 * @param extents what it makes besides its bookkeeping, all in the store.
 * @throws LxcvError `no-space`.
 */
export function checkSpace({ host: { files }, lxcpath }: World, what: string, ...extents: readonly Extent[]): void {
  const root = storeRoot(lxcpath);
  const store = files.statTarget(root) === undefined ? dirname(root) : root;
  const needs = [BOOKKEEPING, ...extents];
  const containers = files.statTarget(lxcpath) === undefined ? undefined : files.free(lxcpath);
  checkPlace(files.free(store), store, what, {
    bytes: needs.reduce((sum, { bytes }) => sum + bytes, 0),
    inodes: needs.reduce((sum, { inodes }) => sum + inodes, 0),
  });
  if (containers !== undefined) checkPlace(containers, lxcpath, what, BOOKKEEPING);
}

function checkPlace(free: Extent, place: string, what: string, need: Extent): void {
  if (free.bytes >= need.bytes && free.inodes >= need.inodes) return;
  const [needed, left] =
    free.bytes < need.bytes
      ? [formatBytes(need.bytes), formatBytes(free.bytes)]
      : [formatCount(need.inodes, 'inode', 'inodes'), formatCount(free.inodes, 'inode', 'inodes')];
  throw new LxcvError(
    'no-space',
    `${what} may need ${needed}, and no more space is left on the file system of ${place} than ${left}`,
    'Free some, and run the command again. Nothing was changed.',
  );
}
