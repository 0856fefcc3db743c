/** Finds one path in a tree, by its own directories alone. */

import type { FilesRead } from '../host/files.js';
import { type BytePath, ROOT } from '../model/byte-path.js';
import { TreeDirectory, type TreeEntry } from './tree.js';

/** A path of a tree, open. */
export interface Found extends Disposable {
  readonly entry: TreeEntry;
  /** Opens it, where it is a directory; undefined where it is none. The caller disposes of it. */
  openDirectory(): TreeDirectory | undefined;
}

/**
 * Finds a path in the tree of these layers, top first. Only its own directories are walked through, never a symbolic link.
 * @returns undefined where nothing is there; no layers are an empty tree.
 */
export function findPath(files: FilesRead, layers: readonly string[], path: BytePath): Found | undefined {
  if (layers.length === 0) return undefined;
  const names = path.split('/') as BytePath[];
  const last = names.pop() as BytePath;
  let directory: TreeDirectory | undefined = TreeDirectory.openRoot(files, layers);
  if (path === ROOT) return foundRoot(files, layers, directory);
  for (const name of names) {
    using parent: TreeDirectory = directory;
    directory = parent.openDirectory(name);
    if (directory === undefined) return undefined;
  }
  const parent = directory;
  const found = parent.lookup(last);
  if (found.kind === 'entry') {
    return {
      entry: found.entry,
      openDirectory: () => parent.openDirectory(last),
      [Symbol.dispose]: () => parent[Symbol.dispose](),
    };
  }
  parent[Symbol.dispose]();
  return undefined;
}

function foundRoot(files: FilesRead, layers: readonly string[], root: TreeDirectory): Found {
  return {
    entry: root.self(),
    openDirectory: () => TreeDirectory.openRoot(files, layers),
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}
