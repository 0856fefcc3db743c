import { describe, expect, it } from 'vitest';
import { gather, type Job, type Recursion, runRecursion, runWithoutYielding } from '../../src/model/job.js';

describe('finish', () => {
  it('does every step and returns the result', () => {
    const done: number[] = [];
    function* count(): Job<string> {
      for (let step = 1; step <= 3; step += 1) {
        done.push(step);
        yield;
      }
      return 'result';
    }
    expect(runWithoutYielding(count())).toBe('result');
    expect(done).toEqual([1, 2, 3]);
  });
});

describe('descend', () => {
  it('tells what pieces of work tell as if each were called where it was yielded', () => {
    function* work(name: string, depth: number): Recursion<string> {
      yield `${name} begins`;
      if (depth > 0) {
        yield work(`${name}a`, depth - 1);
        yield `${name} between`;
        yield work(`${name}b`, depth - 1);
      }
      yield `${name} ends`;
    }
    const told = ['x begins', 'xa begins', 'xa ends', 'x between', 'xb begins', 'xb ends', 'x ends'];
    expect([...runRecursion(work('x', 1))]).toEqual(told);
    expect([...runRecursion(nest(runRecursion(work('x', 1))))]).toEqual(told);
  });

  it('throws an error where the work was yielded, from where it goes up until it is caught', () => {
    const seen: string[] = [];
    function* fails(): Recursion<string> {
      yield 'told';
      throw new Error('at the bottom');
    }
    function* passesOn(): Recursion<string> {
      try {
        yield fails();
      } finally {
        seen.push('passed on');
      }
    }
    function* catches(): Recursion<string> {
      try {
        yield passesOn();
      } catch (error) {
        yield `caught: ${(error as Error).message}`;
      }
      yield 'and on';
    }
    expect([...runRecursion(catches())]).toEqual(['told', 'caught: at the bottom', 'and on']);
    expect(seen).toEqual(['passed on']);
    expect(() => [...runRecursion(passesOn())]).toThrow('at the bottom');
  });

  it('disposes of all that is open when it is ended early, the deepest first', () => {
    const { closed, work } = tracked(3);
    const job = runRecursion(work(0));
    expect(job.next().value).toBe('deepest');
    expect(closed).toEqual([]);
    job.return();
    expect(closed).toEqual([3, 2, 1, 0]);
    expect(job.next().done).toBe(true);
  });

  it('disposes of the rest where one cannot be disposed of, and tells that error', () => {
    const { closed, work } = tracked(3, 2);
    const job = runRecursion(work(0));
    job.next();
    expect(() => job.return()).toThrow('cannot close 2');
    expect(closed).toEqual([3, 1, 0]);
  });

  it('goes as deep as there is work', () => {
    function* dig(depth: number): Recursion<number> {
      if (depth < 100_000) yield dig(depth + 1);
      else yield depth;
    }
    expect([...runRecursion(dig(0))]).toEqual([100_000]);
  });
});

describe('gather', () => {
  it('returns in order what was told, and breathes at each, whether something was told or not', () => {
    const job = gather(['a', undefined, 'b', undefined]);
    for (let step = 0; step < 4; step += 1) expect(job.next()).toEqual({ done: false, value: undefined });
    expect(job.next()).toEqual({ done: true, value: ['a', 'b'] });
  });

  it('ends what it gathers from when it is ended', () => {
    const { closed, work } = tracked(2);
    const job = gather(runRecursion(work(0)));
    job.next();
    job.return([]);
    expect(closed).toEqual([2, 1, 0]);
  });
});

function* nest(inner: Recursion<string>): Recursion<string> {
  yield inner;
}

/** Work that goes down to a depth, tells of it, and notes what is closed; `broken` cannot be. */
function tracked(bottom: number, broken?: number) {
  const closed: number[] = [];
  function* work(depth: number): Recursion<string> {
    using _ = {
      [Symbol.dispose]() {
        if (depth === broken) throw new Error(`cannot close ${depth}`);
        closed.push(depth);
      },
    };
    if (depth < bottom) yield work(depth + 1);
    else yield 'deepest';
  }
  return { closed, work };
}
