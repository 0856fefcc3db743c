/** Finds files that were only moved: one that went and one that came, with the same bytes. */

import type { FilesRead } from '../host/files.js';
import type { BytePath } from '../model/byte-path.js';
import type { Change } from '../model/changes.js';
import type { Job } from '../model/job.js';
import { digestIfPresent, type SealedDigests } from './digest.js';
import { findPath } from './tree.js';

/** A tree to look into: its layers, top first, and what their listings know. */
export interface MoveSource {
  readonly layers: readonly string[];
  readonly sealed: SealedDigests;
}

/**
 * Pairs removed and added files of the same bytes, as `git diff -M100%` does: of several candidates the one of the same name comes
 * first, then the first in byte order. Only files whose sizes agree are looked at, and of those only what no listing knows is read.
 * @param changes in the order of a walk, each time that they are asked for.
 * @returns the old path of each new one.
 */
export function* findMoves(
  files: FilesRead,
  before: MoveSource,
  after: MoveSource,
  changes: Iterable<Change>,
): Job<Map<BytePath, BytePath>> {
  const moves = new Map<BytePath, BytePath>();
  const sizesBefore = sizesOf(filesThat(changes, 'removed'));
  if (sizesBefore.size === 0) return moves;
  const sizesAfter = sizesOf(filesThat(changes, 'added'));
  const left = new Map<string, BytePath[]>();
  for (const { path, size } of filesThat(changes, 'removed')) {
    if (size === 0 || !sizesAfter.has(size)) continue;
    const digest = yield* digestIn(files, before, path, size);
    if (digest === undefined) continue;
    const same = left.get(digest);
    if (same === undefined) left.set(digest, [path]);
    else same.push(path);
  }
  for (const { path, size } of filesThat(changes, 'added')) {
    if (size === 0 || !sizesBefore.has(size)) continue;
    const candidates = left.get((yield* digestIn(files, after, path, size)) ?? '') ?? [];
    const same = candidates.findIndex((old) => nameOf(old) === nameOf(path));
    const [old] = candidates.splice(Math.max(same, 0), 1);
    if (old !== undefined) moves.set(path, old);
  }
  return moves;
}

function* filesThat(changes: Iterable<Change>, kind: 'added' | 'removed'): Generator<Change> {
  for (const change of changes) if (change.kind === kind && change.type === 'file') yield change;
}

function sizesOf(changes: Iterable<Change>): Set<number> {
  const sizes = new Set<number>();
  for (const { size } of changes) sizes.add(size);
  return sizes;
}

/** undefined where the file is gone: a container may be running. */
function* digestIn(
  files: FilesRead,
  { layers, sealed }: MoveSource,
  path: BytePath,
  size: number,
): Job<string | undefined> {
  using found = findPath(files, layers, path);
  if (found?.entry.stat.type !== 'file') return undefined;
  return sealed.find(found.entry.layer, path, size) ?? (yield* digestIfPresent(files, found.entry.location));
}

function nameOf(path: BytePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
