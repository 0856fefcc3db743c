/**
 * Closed deltas: a file lies where overlayfs's workdir was, so that nothing can be mounted that writes to the delta beside it. See
 * docs/decisions/0003-closed-deltas.md.
 */

import { type Files, tolerate } from '../host/files.js';
import { leftWork, scratchOf } from './layout.js';

/** Closes a delta, without a pause: what a mount left in overlayfs's scratch directory is removed with it, or stays beside. */
export function closeDeltaNow(files: Files, work: string): void {
  if (files.stat(work)?.type === 'file') return;
  tolerate(['ENOENT', 'ENOTEMPTY', 'ENOTDIR'], () => files.rmdir(scratchOf(work)));
  tolerate(['ENOENT', 'ENOTEMPTY', 'ENOTDIR'], () => files.rmdir(work));
  if (files.stat(work) !== undefined) files.rename(work, leftWork(work));
  files.create(work, '', 0o400);
}

/** Undoes that, be it done in part. */
export function reopenDelta(files: Files, work: string): void {
  if (files.stat(work)?.type === 'file') files.unlink(work);
  if (files.stat(work) !== undefined) return;
  if (files.stat(leftWork(work)) === undefined) files.mkdir(work, 0o700);
  else files.rename(leftWork(work), work);
}
