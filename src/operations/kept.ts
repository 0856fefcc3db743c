/** Refuses deltas that overlayfs would not keep. */

import { findUnkept } from '../layer/delta.js';
import { tellPath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { runJob } from './run-job.js';
import type { World } from './world.js';

/**
 * Looks whether overlayfs would keep all of a delta.
 * @returns how many directories lie in one another there, at the most.
 * @throws LxcvError `delta-not-keepable`, with the first path that would be lost or changed.
 */
export async function checkKept(world: World, delta: string, work: string): Promise<number> {
  const { files } = world.host;
  if (files.stat(`${work}/work/incompat/volatile`) !== undefined) {
    throw new LxcvError(
      'delta-not-keepable',
      `${delta} was written by a mount with the option volatile, which does not promise that anything was saved`,
      'Take volatile out of the mount, copy what it holds to a new container, and commit that.',
    );
  }
  const depth = { levels: 0 };
  const unkept = await runJob(world, 'looking for what overlayfs would not keep', findUnkept(files, delta, depth));
  if (unkept === undefined) return depth.levels;
  throw new LxcvError(
    'delta-not-keepable',
    `${tellPath(unkept.path)} ${unkept.reason}`,
    'In the container, copy that path, remove the original and rename the copy; or undo what set it, and commit again.',
  );
}
