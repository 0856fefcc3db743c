/**
 * Keyframes: one delta that stands for several of a chain, made of hard links to them, so that chains stay short.
 *
 * A delta has rank 0. Eight layers of one rank at the top of a chain are merged into one of the next rank, as a counter of
 * base eight carries: a chain of n commits has at most some 7·log₈(n) layers, and a file is linked again log₈(n) times at most.
 */

import { childPath, type Files } from '../host/files.js';
import type { BytePath } from '../model/byte-path.js';
import type { Layer } from '../model/version.js';
import { copyAttributes, createDirectory } from './attributes.js';
import { OPAQUE } from './overlayfs.js';
import { TreeDirectory } from './tree.js';

const RADIX = 8;
const RANK_MAX = 9;

/** What to merge: the first `count` layers of a chain, into a keyframe of rank `rank`. */
export interface KeyframePlan {
  readonly count: number;
  readonly rank: number;
}

/**
 * Plans the keyframe that a chain is due, if any.
 * @param chain top first, without what must never be merged: a whole root file system at its end.
 * @param fits tells whether a chain of so many layers, the newest of them replaced by one, can be mounted.
 */
export function planKeyframe(chain: readonly Layer[], fits: (merged: number) => boolean): KeyframePlan | undefined {
  let count = 0;
  let rank = 0;
  for (let run = countRun(chain, count, rank); run + (rank > 0 ? 1 : 0) >= RADIX; run = countRun(chain, count, rank)) {
    count += run;
    rank += 1;
  }
  if (fits(count)) return count === 0 ? undefined : { count, rank: Math.min(rank, RANK_MAX) };
  const highest = Math.max(...chain.map(rankOf));
  return chain.length < 2 ? undefined : { count: chain.length, rank: Math.min(highest + 1, RANK_MAX) };
}

/**
 * Merges layers, top first, into a new delta at `to` that has the same effect on the layers `below` them, and on no others: a
 * whiteout stays only where it hides something. Overlayfs shows a whiteout in listings of a directory that has no other part.
 */
export function mergeLayers(files: Files, layers: readonly string[], below: readonly string[], to: string): void {
  using root = TreeDirectory.openRoot(files, layers);
  using ground = below.length === 0 ? undefined : TreeDirectory.openRoot(files, below);
  mergeDirectory(files, root, ground, Buffer.from(to), false);
}

/** @param below the directory that shows through, if any does. */
function mergeDirectory(
  files: Files,
  source: TreeDirectory,
  below: TreeDirectory | undefined,
  to: Buffer,
  closed: boolean,
): void {
  using target = createDirectory(files, to);
  for (const name of source.names()) mergeName(files, source, below, name, childPath(target.path, name));
  const { stat, location } = source.self();
  copyAttributes(files, location, stat, target.path);
  if (!closed) return;
  files.setXattr(target.path, OPAQUE, Buffer.from('y'));
}

function mergeName(
  files: Files,
  source: TreeDirectory,
  below: TreeDirectory | undefined,
  name: BytePath,
  to: Buffer,
): void {
  const found = source.lookup(name);
  const hidden = below?.lookup(name);
  if (found.kind === 'whiteout' && hidden?.kind === 'entry') files.makeNode(to, { type: 'char', rawDevice: 0n });
  if (found.kind !== 'entry') return;
  if (found.layers.length > 0) {
    using child = source.openChild(name, found.layers);
    const merges = !found.closed && hidden?.kind === 'entry' && hidden.layers.length > 0;
    using ground = merges ? below?.openChild(name, hidden.layers) : undefined;
    mergeDirectory(files, child, ground, to, found.closed);
  } else {
    files.link(found.entry.location, to);
  }
}

/** How many layers of one rank follow one another from `start` on. */
function countRun(chain: readonly Layer[], start: number, rank: number): number {
  const end = chain.findIndex((layer, index) => index >= start && rankOf(layer) !== rank);
  return (end < 0 ? chain.length : end) - start;
}

function rankOf(layer: Layer): number {
  const rank = /keyframe-(\d)$/.exec(layer)?.[1];
  return rank === undefined ? 0 : Number(rank);
}
