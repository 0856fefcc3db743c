/** Deltas: upper directories, made anew for a container to write to, and examined before they become lower layers. */

import {
  childPath,
  type Directory,
  type Files,
  type FilesRead,
  noEntry,
  type Stat,
  unlessGone,
} from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { type BytePath, joinPath, ROOT } from '../model/byte-path.js';
import { type Job, type Recursion, runRecursion } from '../model/job.js';
import { type Place, pathOf, placeIn, ROOT_PLACE } from '../model/place.js';
import { copyDirectoryAttributes, createDirectory, refuseLost } from './attributes.js';
import { isNote, unsupportedFeature } from './overlayfs.js';

/** Makes an empty delta whose root, which is the `/` of the container, is that of the directory `model`. */
export function createDelta(files: Files, path: string, model: string): void {
  using delta = createDirectory(files, path);
  refuseLost(ROOT_PLACE, copyDirectoryAttributes(files, model, files.statTarget(model) as Stat, delta.path), model);
}

/** A path that overlayfs would not keep, and the reason as a predicate: `was renamed ...`. */
export interface Unsupported {
  readonly path: BytePath;
  readonly reason: string;
  /** The extended attribute that says so; undefined of a whiteout. */
  readonly xattr: string | undefined;
}

/** How many directories lie in one another, at the most. */
export interface Depth {
  levels: number;
}

/**
 * A path of an upper directory that would be lost or changed once it is a lower one: the first that is met.
 * @param depth is set to the depth of the deepest directory.
 */
export function* findUnsupported(
  files: FilesRead,
  delta: string,
  depth: Depth = { levels: 0 },
): Job<Unsupported | undefined> {
  for (const unsupported of runRecursion(examine(files, delta, ROOT, depth, 1))) {
    if (unsupported !== undefined) return unsupported;
    yield;
  }
  return undefined;
}

/** Looks at attributes alone: to stat each path as well would take half as long again. */
function* examine(
  files: FilesRead,
  location: HostPath,
  path: BytePath,
  depth: Depth,
  level: number,
): Recursion<Unsupported | undefined> {
  depth.levels = Math.max(depth.levels, level);
  using directory = files.openDirectory(location);
  if (directory === undefined) throw noEntry(location);
  yield unsupportedAt(files, directory.path, path);
  for (const [name, type] of files.listTyped(directory.path)) {
    const child = childPath(directory.path, name);
    if (type === 'directory') yield examine(files, child, joinPath(path, name), depth, level + 1);
    else yield unsupportedAt(files, child, path, name);
  }
}

/** @param parent the path of the directory that has `name`. Paths are built only when reported. */
function unsupportedAt(files: FilesRead, location: HostPath, parent: BytePath, name = ROOT): Unsupported | undefined {
  for (const xattr of files.xattrNames(location)) {
    const reason = unsupportedFeature(xattr);
    if (reason !== undefined) return { path: name === ROOT ? parent : joinPath(parent, name), reason, xattr };
  }
  return undefined;
}

/** The first path of a plain root file system that would change its meaning once that is a layer of an overlay. */
export function* findMisread(files: FilesRead, rootfs: string): Job<Unsupported | undefined> {
  for (const { place, location, stat } of runRecursion(walkLayer(files, rootfs))) {
    if (stat.type === 'char' && stat.rawDevice === 0n)
      return { path: pathOf(place), reason: 'is a whiteout of an overlay of its own', xattr: undefined };
    const marks = files.xattrNames(location).filter((name) => name.startsWith('trusted.overlay.'));
    const xattr = marks.find((name) => !isNote(name)) ?? marks[0];
    if (xattr !== undefined)
      return { path: pathOf(place), reason: `has ${xattr}, the mark of an overlay of its own`, xattr };
    yield;
  }
  return undefined;
}

/** A path of a tree that others can write to, and by what. */
export interface Shared<By> {
  readonly path: BytePath;
  /** undefined of a file that has a name outside of the tree too. */
  readonly by: By | undefined;
}

/**
 * The first path of a tree that others can write to: what they hold, or a file that has a name outside of it too.
 * @param held by its inode, what others hold.
 * @param index where overlayfs keeps names of its own for files of an upper directory; it need not be there.
 */
export function* findShared<By extends { readonly device: bigint }>(
  files: FilesRead,
  tree: string,
  held: ReadonlyMap<bigint, readonly By[]>,
  index?: string,
): Job<Shared<By> | undefined> {
  const shared = new Map<bigint, { readonly place: Place; missing: number }>();
  for (const { place, stat } of runRecursion(walkLayer(files, tree))) {
    yield;
    const by = held.get(stat.inode)?.find(({ device }) => device === stat.device);
    if (by !== undefined) return { path: pathOf(place), by };
    if (stat.type !== 'file' || stat.links === 1) continue;
    const known = shared.get(stat.inode);
    if (known === undefined) shared.set(stat.inode, { place, missing: stat.links - 1 });
    else known.missing -= 1;
  }
  if (index !== undefined && shared.size > 0 && files.stat(index)?.type === 'directory') {
    for (const { stat } of runRecursion(walkLayer(files, index))) {
      yield;
      const known = shared.get(stat.inode);
      if (known !== undefined) known.missing -= 1;
    }
  }
  for (const { place, missing } of shared.values()) if (missing > 0) return { path: pathOf(place), by: undefined };
  return undefined;
}

export interface WalkEntry {
  readonly place: Place;
  /** What it lies in; the root lies in itself. */
  readonly directory: Directory;
  /** Reaches the entry until the walk goes on. */
  readonly location: HostPath;
  readonly stat: Stat;
}

/**
 * Every path of one layer as it lies on disk, in the same order each time: parents first, names in byte order. No link is
 * followed. What goes away meanwhile is left out.
 */
export function* walkLayer(files: FilesRead, layer: string): Recursion<WalkEntry> {
  using directory = files.openDirectory(layer);
  if (directory === undefined) throw noEntry(layer);
  const stat = files.stat(directory.path) as Stat;
  yield { place: ROOT_PLACE, directory, location: directory.path, stat };
  yield* visit(files, directory, ROOT_PLACE);
}

function* visit(files: FilesRead, directory: Directory, parent: Place): Recursion<WalkEntry> {
  for (const name of unlessGone([], () => files.list(directory.path)).sort()) {
    const location = childPath(directory.path, name);
    const stat = files.stat(location);
    if (stat === undefined) continue;
    const child = { place: placeIn(parent, name), directory, location, stat };
    yield child;
    if (stat.type === 'directory') yield enter(files, child);
  }
}

function* enter(files: FilesRead, { location, place }: WalkEntry): Recursion<WalkEntry> {
  using directory = files.openDirectory(location);
  if (directory !== undefined) yield* visit(files, directory, place);
}
