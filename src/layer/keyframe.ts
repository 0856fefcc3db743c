/**
 * Keyframes: one delta that stands for several of a chain, made of hard links to them, so that chains stay short.
 *
 * A delta has rank 0. Eight layers of one rank at the top of a chain are merged into one of the next rank, as a counter of
 * base eight carries: a chain of n commits has at most some 7·log₈(n) layers, and a file is linked again log₈(n) times at most.
 */

import { childPath, type Directory, type Files } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import type { BytePath } from '../model/byte-path.js';
import { type Descent, descend, type Job } from '../model/job.js';
import type { Layer } from '../model/version.js';
import { copyAttributes, createDirectory } from './attributes.js';
import { copyInode, LINKS_MAX } from './inode-copy.js';
import { OPAQUE } from './overlayfs.js';
import { TreeDirectory, type TreeEntry } from './tree.js';

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
export function* mergeLayers(files: Files, layers: readonly string[], below: readonly string[], to: string): Job<void> {
  using links = new Links(files);
  yield* descend(new Merge(files, links).mergeRoot(layers, below, to));
}

class Merge {
  constructor(
    private readonly files: Files,
    private readonly links: Links,
  ) {}

  *mergeRoot(layers: readonly string[], below: readonly string[], to: string): Descent<undefined> {
    using root = TreeDirectory.openRoot(this.files, layers);
    using ground = below.length === 0 ? undefined : TreeDirectory.openRoot(this.files, below);
    yield this.mergeDirectory(root, ground, to, false);
  }

  /** @param below the directory that shows through, if any does. */
  private *mergeDirectory(
    source: TreeDirectory,
    below: TreeDirectory | undefined,
    to: HostPath,
    closed: boolean,
  ): Descent<undefined> {
    using target = createDirectory(this.files, to);
    for (const name of source.names()) {
      yield* this.mergeName(source, below, name, target);
      yield;
    }
    const { stat, location } = source.self();
    copyAttributes(this.files, location, stat, target.path);
    if (closed) this.files.setXattr(target.path, OPAQUE, Buffer.from('y'));
  }

  private *mergeName(
    source: TreeDirectory,
    below: TreeDirectory | undefined,
    name: BytePath,
    target: Directory,
  ): Descent<undefined> {
    const to = childPath(target.path, name);
    const found = source.lookup(name);
    const hidden = below?.lookup(name);
    if (found.kind === 'whiteout' && hidden?.kind === 'entry') this.files.makeNode(to, { type: 'char', rawDevice: 0n });
    if (found.kind !== 'entry') return;
    if (found.layers.length > 0) {
      using child = source.openChild(name, found.layers);
      const merges = !found.closed && hidden?.kind === 'entry' && hidden.layers.length > 0;
      using ground = merges ? below?.openChild(name, hidden.layers) : undefined;
      yield this.mergeDirectory(child, ground, to, found.closed);
    } else {
      this.links.link(found.entry, target, name);
    }
  }
}

/**
 * Links files of layers into a keyframe. An inode whose names would become too many is copied once, and the copy linked in its
 * place. All its names go one way, so that they are names of one file still.
 */
class Links implements Disposable {
  /** By inode: a name of its copy, or undefined where it is linked itself. */
  private readonly ways = new Map<bigint, { readonly directory: Directory; readonly name: BytePath } | undefined>();

  constructor(private readonly files: Files) {}

  [Symbol.dispose](): void {
    for (const way of this.ways.values()) way?.directory[Symbol.dispose]();
  }

  link({ stat, location }: TreeEntry, directory: Directory, name: BytePath): void {
    const to = childPath(directory.path, name);
    // Of its n names the merged layers hold at most n, so it ends with 2n at most: while it has few, no note is needed.
    if (stat.links > LINKS_MAX / 4 && !this.ways.has(stat.inode)) {
      if (stat.links > LINKS_MAX / 2) {
        copyInode(this.files, location, stat, to);
        this.ways.set(stat.inode, { directory: this.files.openDirectory(directory.path) as Directory, name });
        return;
      }
      this.ways.set(stat.inode, undefined);
    }
    const copy = this.ways.get(stat.inode);
    this.files.link(copy === undefined ? location : childPath(copy.directory.path, copy.name), to);
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
