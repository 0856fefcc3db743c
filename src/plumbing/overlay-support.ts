/** Refuses deltas that overlayfs would not keep. */

import { findUnsupported } from '../layer/delta.js';
import { PROTATTR } from '../layer/overlayfs.js';
import { type BytePath, tellPath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { escapeOctal } from '../model/octal.js';
import type { ContainerName } from '../model/version.js';
import { volatileMark } from '../store/layout.js';
import type { Context } from './context.js';
import { runJob } from './run-job.js';

/**
 * Checks whether overlayfs would keep all of a delta.
 * @param running the container that runs, where the delta is a copy of what it has: an overlay forgets no attribute while it is mounted.
 * @returns the levels of the delta: how deep its directories are nested.
 * @throws LxcvError `delta-not-keepable`, with the first path that would be lost or changed.
 */
export async function checkOverlaySupported(
  context: Context,
  delta: string,
  work: string,
  running?: ContainerName,
): Promise<number> {
  const { files } = context.host;
  if (files.stat(volatileMark(work)) !== undefined) {
    throw new LxcvError(
      'delta-not-keepable',
      `${delta} was written by a mount with the option volatile, which does not promise that anything was saved`,
      'Take volatile out of the mount, copy what it holds to a new container, and commit that.',
    );
  }
  const depth = { levels: 0 };
  const unsupported = await runJob(
    context,
    'looking for what overlayfs would not keep',
    findUnsupported(files, delta, depth),
  );
  if (unsupported === undefined) return depth.levels;
  throw new LxcvError(
    'delta-not-keepable',
    `${tellPath(unsupported.path)} ${unsupported.reason}`,
    unsupported.xattr === PROTATTR
      ? `Take that away, and commit again: ${takeAway(context, delta, unsupported.path, running)}`
      : 'In the container, copy that path, remove the original and rename the copy; or undo what set it, and commit again.',
  );
}

/** The line of sh(1) that takes the attributes i and a away. It needs no chattr in the container, nor that this may do so. */
function takeAway({ lxcpath }: Context, delta: string, path: BytePath, running: ContainerName | undefined): string {
  if (running === undefined) return `setfattr -x ${PROTATTR} ${delta}/${quoted(path)}`;
  return `chattr -ia /proc/$(lxc-info -P ${lxcpath} -n ${running} -pH)/root/${quoted(path)}`;
}

/** A path as sh(1) takes it, whatever a container called it. */
export function quoted(path: BytePath): string {
  if (/^[\w./@%+=:,-]*$/.test(path)) return path;
  const bytes = path.replace(/[^\w./-]/g, escapeOctal);
  return `$'${bytes}'`;
}
