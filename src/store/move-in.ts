/** The move by which a root file system comes into the store: its old path leads to it at every instant. */

import type { Files, FilesRead } from '../host/files.js';

/** Moves a directory: a link that lies at the new place and names the new place is exchanged with it, and stays at the old one. */
export function moveIn(files: Files, from: string, to: string): void {
  if (files.stat(from)?.type !== 'directory') return;
  if (files.stat(to) === undefined) files.symlink(to, to);
  files.exchange(from, to);
}

/** True where what was to be moved is gone before it came: lxc-destroy took it away. */
export function isGone(files: FilesRead, from: string, to: string): boolean {
  return files.stat(from) === undefined && files.stat(to)?.type !== 'directory';
}
