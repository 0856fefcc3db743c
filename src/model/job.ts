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
 * Work that goes down a tree, however deep that is: what it yields is either told, or another piece of work that is to be done
 * before this one goes on, as if it were called. An error of that other one is thrown where it was yielded.
 */
export type Recursion<Told> = Generator<Told | Recursion<Told>, void>;

/** Does a descent with a stack of its own in place of the machine's. What is told must not be iterable. */
export function* runRecursion<Told>(root: Recursion<Told>): Generator<Told, void> {
  const stack = [root];
  let failure: { readonly error: unknown } | undefined;
  try {
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      let step: IteratorResult<Told | Recursion<Told>, void>;
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

/** All that is told, in order; the place to yield between are left out. */
export function* gather<Told>(told: Iterable<Told | undefined>): Job<Told[]> {
  const all: Told[] = [];
  for (const one of told) {
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

function isRecursion<Told>(value: Told | Recursion<Told>): value is Recursion<Told> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
