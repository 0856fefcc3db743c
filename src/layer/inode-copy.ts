/** Copies what a name in a layer stands for, a directory apart: its content, and all else that makes it what it is. */

import type { Files, Stat } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { copyAttributes } from './attributes.js';
import { isKeptByCopies } from './overlayfs.js';

/** From so many bytes on only what differs is written to a copy that is there. */
const UPDATE_BYTES = 1 << 20;
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
  copyAttributes(files, from, stat, to, isKeptByCopies);
  return lost;
}

/**
 * True where the copy of a large file can be written to: it is no other version's and has no other name, and neither has holes, which
 * are kept by a copy made anew.
 */
export function canUpdate(stat: Stat, copy: Stat): boolean {
  if (stat.type !== 'file' || copy.type !== 'file' || stat.links > 1 || copy.links > 1) return false;
  return stat.size >= UPDATE_BYTES && stat.allocated >= stat.size && copy.allocated >= copy.size && copy.size > 0;
}

/** Makes the copy of a file, of which `canUpdate` is true, that of what it is now. As `copyInode` otherwise. */
export function updateInode(files: Files, from: HostPath, stat: Stat, to: HostPath, tick?: () => void): string {
  const lost = files.updateContent(from, to, tick);
  copyAttributes(files, from, stat, to, isKeptByCopies);
  return lost;
}
