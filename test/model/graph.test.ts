import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ancestors, newestFirst } from '../../src/model/graph.js';

/**
 * 0 - 1 - 2 ----- 5 - 6
 *      \         /
 *       3 ----- 4       7
 */
const PARENTS: Readonly<Record<number, readonly number[]>> = { 1: [0], 2: [1], 3: [1], 4: [3], 5: [2, 4], 6: [5] };
const parentsOf = (id: number) => PARENTS[id] ?? [];
const byNumber = (id: number) => id;

describe('ancestors', () => {
  it.each<[number[], number[]]>([
    [[], []],
    [[0], [0]],
    [[4], [0, 1, 3, 4]],
    [[6], [0, 1, 2, 3, 4, 5, 6]],
    [
      [2, 4],
      [0, 1, 2, 3, 4],
    ],
    [
      [7, 2],
      [0, 1, 2, 7],
    ],
  ])('of %j are %j', (starts, expected) => {
    expect([...ancestors(starts, parentsOf)].sort()).toEqual(expected);
  });

  it('asks for the parents of each once, however many ways lead to it', () => {
    const asked: number[] = [];
    const ladder = (id: number) => {
      asked.push(id);
      return id < 2 ? [] : [id - 1, id - 2];
    };
    expect(ancestors([5000], ladder).size).toBe(5001);
    expect(asked).toHaveLength(5001);
  });

  it('ends in a circle', () => {
    expect([...ancestors([0], (id) => [(id + 1) % 3])].sort()).toEqual([0, 1, 2]);
  });
});

describe('newestFirst', () => {
  it('goes from the newest to the roots', () => {
    const all = [0, 1, 2, 3, 4, 5, 6, 7];
    expect([...newestFirst(all, parentsOf, byNumber)]).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
    expect([...newestFirst([6], parentsOf, byNumber)]).toEqual([6, 5, 4, 3, 2, 1, 0]);
    expect([...newestFirst([2, 4, 2], parentsOf, byNumber)]).toEqual([4, 3, 2, 1, 0]);
    expect([...newestFirst([], parentsOf, byNumber)]).toEqual([]);
  });

  it('counts a parent that is named twice as one', () => {
    expect([...newestFirst([1], (id) => (id === 1 ? [0, 0] : []), byNumber)]).toEqual([1, 0]);
  });

  it('tells each once, all that is reached, the largest that is left', () => {
    const graph = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 3 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(graph, fc.array(fc.nat({ max: 29 }), { maxLength: 4 }), (edges, some) => {
        const parents = (id: number) => (edges[id] as number[]).filter((parent) => parent < id);
        const starts = some.filter((start) => start < edges.length);
        const expected = [...ancestors(starts, parents)].sort((a, b) => b - a);
        expect([...newestFirst(starts, parents, byNumber)]).toEqual(expected);
      }),
    );
  });

  it('asks for no more of a long line than what is taken of it', () => {
    const asked: number[] = [];
    const line = (id: number) => {
      asked.push(id);
      return id === 0 ? [] : [id - 1];
    };
    const walk = newestFirst([10_000], line, byNumber);
    for (let step = 0; step < 20; step += 1) walk.next();
    expect(asked).toHaveLength(19);
    expect([...walk]).toHaveLength(9981);
    expect([...newestFirst(new Set(asked), () => [], byNumber)]).toHaveLength(10_001);
  });
});
