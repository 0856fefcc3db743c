/**
 * Keyframes: one delta that stands for several of a chain, made of hard links to them, so that chains stay short.
 *
 * A delta has rank 0. Four layers of one rank at the top of a chain are merged into one of the next rank, as a counter of
 * base four carries: a chain of n commits has at most some 3·log₄(n) layers, and a file is linked again log₄(n) times at most.
 *
 * Most changes are small, and to merge what is small costs next to nothing: so a delta is merged with the layers below it at once, as
 * long as all of it is small together. What that makes is of rank 0 still: a delta that is not that small.
 */

import { childPath, type Directory, type Files, type FilesRead } from '../host/files.js';
import { type HostPath, SystemError } from '../host/libc.js';
import type { BytePath } from '../model/byte-path.js';
import { type Job, type Recursion, runRecursion } from '../model/job.js';
import type { Layer } from '../model/version.js';
import { copyDirectoryAttributes, createDirectory } from './attributes.js';
import { copyInode, LINKS_MAX } from './inode-copy.js';
import { OPAQUE } from './overlayfs.js';
import { TreeDirectory, type TreeEntry } from './tree.js';

const RADIX = 4;
const RANK_MAX = 9;
/** So many layers are merged where they are small. */
const SMALL_LAYERS = 2;
/** So many names are small: a keyframe of theirs takes some 48 KiB. */
const SMALL_NAMES = 1536;
/** A directory takes as much room as so many names in one. */
const DIRECTORY_NAMES = 128;

/** What to merge: the first `count` layers of a chain, into a keyframe of rank `rank`. */
export interface KeyframePlan {
  readonly count: number;
  readonly rank: number;
}

/**
 * Plans the keyframe that a chain is due, if any.
 * @param chain top first, without what must never be merged: a whole root file system at its end.
 * @param fits tells whether the chain can be mounted when so many of its layers, from the first on, are replaced by one.
 * @param countSmall tells how many layers, from the first on, are small together: see `smallRun`.
 */
export function planKeyframe(
  chain: readonly Layer[],
  fits: (merged: number) => boolean,
  countSmall: () => number,
): KeyframePlan | undefined {
  const { count, rank } = planMerge(chain, countSmall);
  if (fits(count)) return count === 0 ? undefined : { count, rank: Math.min(rank, RANK_MAX) };
  const highest = Math.max(...chain.map(rankOf));
  return chain.length < 2 ? undefined : { count: chain.length, rank: Math.min(highest + 1, RANK_MAX) };
}

function planMerge(chain: readonly Layer[], countSmall: () => number): KeyframePlan {
  const run = countRun(chain, 0, 0);
  const small = run < SMALL_LAYERS ? 0 : Math.min(countSmall(), run);
  let count = small < SMALL_LAYERS ? 0 : small;
  let rank = 0;
  // What is merged so far is one layer of its rank, with those that follow.
  for (let more = run - count; more + Math.min(count, 1) >= RADIX; more = countRun(chain, count, rank)) {
    count += more;
    rank += 1;
  }
  return { count, rank };
}

/** How many layers, from the first on, are small together: by their listings, and as far as it takes to see that. */
export function* smallRun(files: FilesRead, layers: readonly string[]): Job<number> {
  let names = 0;
  for (const [index, layer] of layers.entries()) {
    for (const more of runRecursion(countNames(files, `${layer}/.`))) {
      names += more;
      if (names > SMALL_NAMES) return index;
      yield;
    }
  }
  return layers.length;
}

function* countNames(files: FilesRead, location: HostPath): Recursion<number> {
  using directory = files.openDirectory(location);
  if (directory === undefined) return;
  const types = files.listTyped(directory.path);
  yield DIRECTORY_NAMES + types.size;
  for (const [name, type] of types) if (type === 'directory') yield countNames(files, childPath(directory.path, name));
}

/**
 * Merges layers, top first, into a new delta at `to` that has the same effect on the layers `below` them, and on no others: a
 * whiteout stays only where it hides something. Overlayfs shows a whiteout in listings of a directory that has no other part.
 */
export function* mergeLayers(files: Files, layers: readonly string[], below: readonly string[], to: string): Job<void> {
  using links = new Links(files);
  yield* runRecursion(new Merge(files, links).mergeRoot(layers, below, to));
}

class Merge {
  constructor(
    private readonly files: Files,
    private readonly links: Links,
  ) {}

  *mergeRoot(layers: readonly string[], below: readonly string[], to: string): Recursion<undefined> {
    using root = TreeDirectory.openRoot(this.files, layers);
    using ground = below.length === 0 ? undefined : TreeDirectory.openRoot(this.files, below);
    yield this.mergeDirectory(root, ground, to, false);
  }

  /** @param below the directory that shows through, if any does. */
  private *mergeDirectory(
    source: TreeDirectory,
    below: TreeDirectory | undefined,
    to: HostPath,
    opaque: boolean,
  ): Recursion<undefined> {
    using target = createDirectory(this.files, to);
    for (const name of source.names()) {
      yield* this.mergeName(source, below, name, target);
      yield;
    }
    const { stat, location } = source.self();
    mustKeep(copyDirectoryAttributes(this.files, location, stat, target.path));
    if (opaque) this.files.setXattr(target.path, OPAQUE, Buffer.from('y'));
  }

  private *mergeName(
    source: TreeDirectory,
    below: TreeDirectory | undefined,
    name: BytePath,
    target: Directory,
  ): Recursion<undefined> {
    const to = childPath(target.path, name);
    const found = source.lookup(name);
    const hidden = below?.lookup(name);
    if (found.kind === 'whiteout' && hidden?.kind === 'entry') this.files.makeNode(to, { type: 'char', rawDevice: 0n });
    if (found.kind !== 'entry') return;
    if (found.layers.length > 0) {
      using child = source.openChild(name, found.layers);
      const merges = !found.opaque && hidden?.kind === 'entry' && hidden.layers.length > 0;
      using ground = merges ? below?.openChild(name, hidden.layers) : undefined;
      yield this.mergeDirectory(child, ground, to, found.opaque);
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
        mustKeep(copyInode(this.files, location, stat, to));
        this.ways.set(stat.inode, { directory: this.files.openDirectory(directory.path) as Directory, name });
        return;
      }
      this.ways.set(stat.inode, undefined);
    }
    const copy = this.ways.get(stat.inode);
    this.files.link(copy === undefined ? location : childPath(copy.directory.path, copy.name), to);
  }
}

/** @param lost letters of flags of chattr(1). @throws an error of the system, so that a version does without the keyframe. */
function mustKeep(lost: string): void {
  if (lost !== '') throw new SystemError('ENOTSUP', `chattr +${lost}`);
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
