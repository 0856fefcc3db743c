/** Copies what a name in a layer stands for, a directory apart: its content, and all else that makes it what it is. */

import type { Files, Stat } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { copyAttributes } from './attributes.js';
import { isMark } from './overlayfs.js';

/** How many names ext4 gives an inode; other file systems give it more. */
export const LINKS_MAX = 65_000;

/**
 * Makes at `to` another inode that is as the one at `from`, whose lstat is `stat`.
 * @param tick is called again and again, and ends it where it throws.
 * @returns the letters of the flags of chattr(1) that it cannot have.
 */
export function copyInode(files: Files, from: HostPath, stat: Stat, to: HostPath, tick?: () => void): string {
  let lost = '';
  if (stat.type === 'file') lost = files.copyContent(from, to, tick);
  else if (stat.type === 'symlink') files.symlink(files.readLink(from), to);
  else files.makeNode(to, stat);
  copyAttributes(files, from, stat, to, isMark);
  return lost;
}
