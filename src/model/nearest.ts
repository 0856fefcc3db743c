/** "Did you mean ...?": which of some words is meant by one that is none of them. */

/** A word of so many letters may have one wrong, of so many two, and of more three. */
const WRONG_LETTERS = [
  { upTo: 2, wrong: 0 },
  { upTo: 5, wrong: 1 },
  { upTo: 10, wrong: 2 },
  { upTo: Number.POSITIVE_INFINITY, wrong: 3 },
];
/** A longer word costs too much to compare: the table of letters grows with the square of it. */
const LONGEST = 64;

/** The candidate with the fewest letters wrong, the first of several; undefined where none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  let least = (WRONG_LETTERS.find(({ upTo }) => word.length <= upTo)?.wrong ?? 0) + 1;
  let found: string | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = countWrongLetters(word.toLowerCase(), candidate.toLowerCase());
    if (candidate === word || distance >= least) continue;
    least = distance;
    found = candidate;
  }
  return found;
}

/** Letters that are missing, too many, other ones, or swapped with their neighbour (optimal string alignment). */
function countWrongLetters(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const changed = (last[column - 1] as number) + (isSame ? 0 : 1);
      let least = Math.min(changed, (last[column] as number) + 1, (next[column - 1] as number) + 1);
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwapped) least = Math.min(least, (beforeLast[column - 2] as number) + 1);
      next.push(least);
    }
    beforeLast = last;
    last = next;
  }
  return last[b.length] as number;
}
