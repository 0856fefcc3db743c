/** Walks over a graph of versions that is given as functions: none of them knows where versions come from. */

/** All that `starts` reach by parents, themselves included. */
export function ancestors<Id>(starts: Iterable<Id>, parentsOf: (id: Id) => readonly Id[]): Set<Id> {
  const reached = new Set<Id>();
  const open = [...starts];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    open.push(...parentsOf(id));
  }
  return reached;
}

/**
 * All that `starts` reach by parents, themselves included, the largest rank first, found as they are asked for. Where every id
 * ranks above its parents, as a version's number does, no parent comes before a child of it.
 */
export function* newestFirst<Id>(
  starts: Iterable<Id>,
  parentsOf: (id: Id) => readonly Id[],
  rankOf: (id: Id) => number,
): Generator<Id, void> {
  const open = [...new Set(starts)].sort((a, b) => rankOf(a) - rankOf(b));
  const met = new Set(open);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    yield id;
    for (const parent of parentsOf(id)) {
      if (met.has(parent)) continue;
      met.add(parent);
      insertByRank(open, parent, rankOf);
    }
  }
}

/** The nearest ancestors of an id that are wanted, on each way to the roots, in the order of its parents. */
export function nearestAncestors<Id>(
  id: Id,
  parentsOf: (id: Id) => readonly Id[],
  isWanted: (id: Id) => boolean,
): Id[] {
  const found = new Set<Id>();
  const seen = new Set<Id>();
  const open = [...parentsOf(id)].reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (isWanted(next)) found.add(next);
    else open.push(...[...parentsOf(next)].reverse());
  }
  return [...found];
}

/** Inserts into a list that ascends by rank. */
function insertByRank<Id>(list: Id[], id: Id, rankOf: (id: Id) => number): void {
  // Of a history without branches the list is empty each time.
  if (list.length === 0) {
    list.push(id);
    return;
  }
  const rank = rankOf(id);
  let low = 0;
  for (let high = list.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (rankOf(list[middle] as Id) < rank) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, id);
}
