/** What is near a path that a tree does not have. */

import type { FilesRead } from '../host/files.js';
import { type BytePath, joinPath, ROOT } from '../model/byte-path.js';
import { nearest } from '../model/nearest.js';
import { findPath } from './find-path.js';
import { TreeDirectory } from './tree.js';

/** In a directory with more names nobody looks for one that was meant. */
const NAMES_MAX = 10_000;

export interface Near {
  /** The last directory on the path that is there. */
  readonly directory: BytePath;
  /** What stands in the way, where something does that is no directory. */
  readonly blockedBy?: { readonly path: BytePath; readonly isLink: boolean };
  /** What was probably meant: by the whole path or, where that is not there, as far as its first name that is not. */
  readonly meant?: BytePath;
}

/** @param layers of the tree, top first. @returns undefined for an empty tree. */
export function findNear(files: FilesRead, layers: readonly string[], path: BytePath): Near | undefined {
  if (layers.length === 0) return undefined;
  const names = (path === ROOT ? [] : path.split('/')) as BytePath[];
  let directory = TreeDirectory.openRoot(files, layers);
  for (const [depth, name] of names.entries()) {
    using parent = directory;
    const next = parent.openDirectory(name);
    if (next === undefined) {
      const near = nearIn(parent, names.slice(0, depth).join('/') as BytePath, name);
      if (near.meant === undefined) return near;
      const whole = [near.meant, ...names.slice(depth + 1)].join('/') as BytePath;
      using found = findPath(files, layers, whole);
      return found === undefined ? near : { ...near, meant: whole };
    }
    directory = next;
  }
  directory[Symbol.dispose]();
  return { directory: path };
}

function nearIn(parent: TreeDirectory, directory: BytePath, name: BytePath): Near {
  const found = parent.lookup(name);
  if (found.kind === 'entry') {
    const isLink = found.entry.stat.type === 'symlink';
    return { directory, blockedBy: { path: joinPath(directory, name), isLink } };
  }
  const names = [...parent.names()];
  // Whiteouts are among them.
  const there = names.length > NAMES_MAX ? [] : names.filter((each) => parent.lookup(each).kind === 'entry');
  const meant = nearest(name, there) as BytePath | undefined;
  return meant === undefined ? { directory } : { directory, meant: joinPath(directory, meant) };
}
