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
 * The ids ordered such that no parent stands before a child of it; where the graph leaves a choice, the larger rank first.
 * Ids that `ids` does not hold are not followed.
 */
export function newestFirst<Id>(
  ids: ReadonlySet<Id>,
  parentsOf: (id: Id) => readonly Id[],
  rankOf: (id: Id) => number,
): Id[] {
  const childrenLeft = new Map<Id, number>([...ids].map((id) => [id, 0]));
  for (const id of ids) {
    for (const parent of parentsOf(id)) {
      const count = childrenLeft.get(parent);
      if (count !== undefined) childrenLeft.set(parent, count + 1);
    }
  }
  const ready = [...ids].filter((id) => childrenLeft.get(id) === 0).sort((a, b) => rankOf(a) - rankOf(b));
  const ordered: Id[] = [];
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    ordered.push(id);
    for (const parent of parentsOf(id)) {
      const count = childrenLeft.get(parent);
      if (count === undefined) continue;
      childrenLeft.set(parent, count - 1);
      if (count === 1) insertByRank(ready, parent, rankOf);
    }
  }
  return ordered;
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
  const rank = rankOf(id);
  let low = 0;
  for (let high = list.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (rankOf(list[middle] as Id) < rank) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, id);
}
