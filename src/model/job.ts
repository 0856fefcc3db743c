/**
 * A long piece of work, cut into small steps: it yields wherever it may be interrupted, and returns its result. Ending the
 * generator early (`return()`) disposes what it holds.
 */
export type Job<Result> = Generator<undefined, Result>;

/** The same, whose steps may be of many things at once, and say how many. */
export type BatchJob<Result> = Generator<number | undefined, Result>;

/** Does a job to its end, without a pause. */
export function runWithoutYielding<Result>(job: Job<Result>): Result {
  for (;;) {
    const step = job.next();
    if (step.done) return step.value;
  }
}

/**
 * Work that goes down a tree, however deep that is: what it yields is either a result, or another piece of work that is to be done
 * before this one goes on, as if it were called. An error of that other one is thrown where it was yielded.
 */
export type Recursion<Item> = Generator<Item | Recursion<Item>, void>;

/** Runs a recursion with an explicit stack on the heap, and yields its results, which must not be iterable. */
export function* runRecursion<Item>(root: Recursion<Item>): Generator<Item, void> {
  const stack = [root];
  let failure: { readonly error: unknown } | undefined;
  try {
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      let step: IteratorResult<Item | Recursion<Item>, void>;
      try {
        step = failure === undefined ? top.next() : top.throw(failure.error);
        failure = undefined;
      } catch (error) {
        failure = { error };
        stack.pop();
        continue;
      }
      if (step.done) stack.pop();
      else if (isRecursion(step.value)) stack.push(step.value);
      else yield step.value;
    }
    if (failure !== undefined) throw failure.error;
  } finally {
    endAll(stack);
  }
}

/** All results, in order; without the undefined between them. */
export function* gather<Item>(items: Iterable<Item | undefined>): Job<Item[]> {
  const all: Item[] = [];
  for (const one of items) {
    if (one !== undefined) all.push(one);
    yield;
  }
  return all;
}

/** Ends pieces of work, the deepest first: each one, whatever another throws. @throws what the first of them threw. */
function endAll(stack: readonly Generator<unknown, void>[]): void {
  const failures: unknown[] = [];
  for (const work of [...stack].reverse()) {
    try {
      work.return();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function isRecursion<Item>(value: Item | Recursion<Item>): value is Recursion<Item> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
