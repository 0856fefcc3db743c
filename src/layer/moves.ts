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
 * @returns the old path of each new one.
 */
export function* findMoves(
  files: FilesRead,
  before: MoveSource,
  after: MoveSource,
  changes: readonly Change[],
): Job<Map<BytePath, BytePath>> {
  const removed = filesBySize(changes, 'removed', (size) => size > 0);
  const moves = new Map<BytePath, BytePath>();
  for (const [size, added] of filesBySize(changes, 'added', (size) => removed.has(size))) {
    const candidates = removed.get(size) ?? [];
    const byDigest = new Map<string, BytePath[]>();
    for (const path of candidates) {
      const digest = yield* digestIn(files, before, path);
      if (digest !== undefined) byDigest.set(digest, [...(byDigest.get(digest) ?? []), path]);
    }
    for (const path of added) {
      const left = byDigest.get((yield* digestIn(files, after, path)) ?? '');
      if (left === undefined || left.length === 0) continue;
      const same = left.findIndex((old) => nameOf(old) === nameOf(path));
      const [old] = left.splice(Math.max(same, 0), 1);
      moves.set(path, old as BytePath);
    }
  }
  return moves;
}

function filesBySize(
  changes: readonly Change[],
  kind: 'added' | 'removed',
  isWanted: (size: number) => boolean,
): Map<number, BytePath[]> {
  const found = new Map<number, BytePath[]>();
  for (const change of changes) {
    if (change.kind !== kind || change.type !== 'file' || !isWanted(change.size)) continue;
    const paths = found.get(change.size) ?? [];
    paths.push(change.path);
    found.set(change.size, paths);
  }
  return found;
}

/** undefined where the file is gone: a container may be running. */
function* digestIn(files: FilesRead, { layers, sealed }: MoveSource, path: BytePath): Job<string | undefined> {
  using found = findPath(files, layers, path);
  if (found?.entry.stat.type !== 'file') return undefined;
  return sealed.find(found.entry.layer, path) ?? (yield* digestIfPresent(files, found.entry.location));
}

function nameOf(path: BytePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
