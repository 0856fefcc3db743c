/** Finds files that were only moved: one that went and one that came, with the same bytes. */

import { type FilesRead, unlessGone } from '../host/files.js';
import type { BytePath } from '../model/byte-path.js';
import type { Change } from '../model/changes.js';
import type { Job } from '../model/job.js';
import type { Place } from '../model/place.js';
import { digestIfPresent, type SealedDigests } from './digest.js';
import { TreeWay } from './tree-way.js';

/** A tree to look into: its layers, top first, and what their listings know. */
export interface MoveSource {
  readonly layers: readonly string[];
  readonly sealed: SealedDigests;
}

export interface Move {
  readonly from: Place;
  readonly to: Place;
}

/**
 * Pairs removed and added files of the same bytes, as `git diff -M100%` does: of several candidates the one of the same name comes
 * first, then the first in byte order. Only files whose sizes agree are looked at, and of those only what no listing knows is read.
 * @param changes in the order of a walk, each time that they are asked for.
 */
export function* findMoves(
  files: FilesRead,
  before: MoveSource,
  after: MoveSource,
  changes: Iterable<Change>,
): Job<Move[]> {
  const moves: Move[] = [];
  const sizesBefore = sizesOf(filesThat(changes, 'removed'));
  if (sizesBefore.size === 0) return moves;
  const sizesAfter = sizesOf(filesThat(changes, 'added'));
  const left = new Map<string, Candidates>();
  yield* eachDigest(files, before, filesThat(changes, 'removed'), sizesAfter, (place, digest) => {
    const candidates = left.get(digest) ?? new Candidates();
    left.set(digest, candidates);
    candidates.add(place);
  });
  yield* eachDigest(files, after, filesThat(changes, 'added'), sizesBefore, (to, digest) => {
    const from = left.get(digest)?.take(to.name);
    if (from !== undefined) moves.push({ from, to });
  });
  return moves;
}

/** Places of files with the same bytes, each to be taken once. A container chooses how many there are: none is looked at again and again. */
class Candidates {
  private readonly taken = new Set<Place>();
  private readonly all: Queue = { places: [], next: 0 };
  private readonly named = new Map<BytePath, Queue>();

  add(place: Place): void {
    this.all.places.push(place);
    const named = this.named.get(place.name);
    if (named === undefined) this.named.set(place.name, { places: [place], next: 0 });
    else named.places.push(place);
  }

  /** The first of that name, or else the first of all. */
  take(name: BytePath): Place | undefined {
    const named = this.named.get(name);
    const place = (named && this.firstOf(named)) ?? this.firstOf(this.all);
    if (place !== undefined) this.taken.add(place);
    return place;
  }

  private firstOf(queue: Queue): Place | undefined {
    while (this.taken.has(queue.places[queue.next] as Place)) queue.next += 1;
    return queue.places[queue.next];
  }
}

interface Queue {
  readonly places: Place[];
  next: number;
}

function* filesThat(changes: Iterable<Change>, kind: 'added' | 'removed'): Generator<Change> {
  for (const change of changes) if (change.kind === kind && change.type === 'file') yield change;
}

function sizesOf(changes: Iterable<Change>): Set<number> {
  const sizes = new Set<number>();
  for (const { size } of changes) sizes.add(size);
  return sizes;
}

/** Calls `found` with the digest of each file of one of these sizes; without files that are gone: a container may be running. */
function* eachDigest(
  files: FilesRead,
  { layers, sealed }: MoveSource,
  changes: Iterable<Change>,
  sizes: ReadonlySet<number>,
  found: (place: Place, digest: string) => void,
): Job<void> {
  using way = new TreeWay(files, layers);
  for (const { place, size } of changes) {
    if (size === 0 || !sizes.has(size)) continue;
    const entry = way.find(place);
    if (entry === undefined || unlessGone(undefined, () => entry.stat)?.type !== 'file') continue;
    const digest = sealed.find(entry.layer, place, size) ?? (yield* digestIfPresent(files, entry.location));
    if (digest !== undefined) found(place, digest);
  }
}
