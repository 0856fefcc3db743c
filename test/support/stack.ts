/** Stacks of layers as a container makes them: each one written by a storm, through an overlay mount of those below it. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mountOverlay, temporaryDirectory } from './overlay.js';
import { storm } from './storm.js';
import { type ReadOptions, readTree, type Tree } from './tree.js';

export interface Stack extends Disposable {
  /** Room for more directories, on the file system of the layers. */
  readonly path: string;
  /** Absolute paths, top first; the last is a plain directory, all others are upper directories of overlays. */
  readonly layers: readonly string[];
}

export interface StackOptions {
  readonly seed: number;
  /** How many layers there are above the plain directory. */
  readonly deltas: number;
  /** How many operations made each of the layers; twice as many made the plain directory. */
  readonly steps: number;
}

export function stormStack({ seed, deltas, steps }: StackOptions): Stack {
  const directory = temporaryDirectory();
  const base = join(directory.path, 'base');
  mkdirSync(base);
  storm(base, { seed: seed * 1000, steps: 2 * steps });
  const layers = [base];
  for (let count = 1; count <= deltas; count += 1) {
    const upper = join(directory.path, `${count}/delta`);
    using overlay = mountOverlay({ lowers: layers, upper });
    storm(overlay.path, { seed: seed * 1000 + count, steps });
    layers.unshift(upper);
  }
  return { ...directory, layers };
}

/** What a read-only mount of layers, top first, shows; an empty tree, without a root, for none. */
export function mountedTree(layers: readonly string[], options?: ReadOptions): Tree {
  if (layers.length === 0) return new Map();
  using overlay = mountOverlay({ lowers: layers });
  return readTree(overlay.path, options);
}
