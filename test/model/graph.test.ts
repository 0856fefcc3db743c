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
  it('goes from the newest to the roots, and where it may choose to the larger rank', () => {
    const all = new Set([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(newestFirst(all, parentsOf, byNumber)).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
    expect(newestFirst(all, parentsOf, (id) => -id)).toEqual([6, 5, 2, 4, 3, 1, 0, 7]);
  });

  it('knows of no others than those that it is given', () => {
    expect(newestFirst(new Set([6, 3, 1]), parentsOf, byNumber)).toEqual([6, 3, 1]);
    expect(newestFirst(new Set<number>(), parentsOf, byNumber)).toEqual([]);
  });

  it('counts a parent that is named twice as one', () => {
    expect(newestFirst(new Set([0, 1]), (id) => (id === 1 ? [0, 0] : []), byNumber)).toEqual([1, 0]);
  });

  it('puts no parent before a child of it, and always the largest rank that is left', () => {
    const graph = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 3 }), { maxLength: 30 });
    fc.assert(
      fc.property(graph, fc.array(fc.nat(), { minLength: 30, maxLength: 30 }), (edges, ranks) => {
        const parents = (id: number) => (edges[id] as number[]).filter((parent) => parent < id);
        const rank = (id: number) => (ranks[id] as number) * 100 + id;
        const left = new Set(edges.keys());
        for (const id of newestFirst(new Set(left), parents, rank)) {
          const ready = [...left].filter((one) => ![...left].some((child) => parents(child).includes(one)));
          expect(rank(id)).toBe(Math.max(...ready.map(rank)));
          left.delete(id);
        }
        expect(left.size).toBe(0);
      }),
    );
  });

  it('takes ten thousand in a line, and ten thousand side by side', () => {
    const many = new Set(Array.from({ length: 10_000 }, (_, id) => id));
    const line = newestFirst(many, (id) => (id === 0 ? [] : [id - 1]), byNumber);
    expect([line.length, line[0], line.at(-1)]).toEqual([10_000, 9999, 0]);
    expect(newestFirst(many, () => [], byNumber)).toEqual(line);
  });
});
