import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newId } from '../../src/model/ids.js';
import { isVersionId } from '../../src/model/names.js';

describe('newId', () => {
  it('is a version id, and another one each time', () => {
    const ids = Array.from({ length: 2000 }, () => newId(randomBytes));
    expect(ids.every(isVersionId)).toBe(true);
    expect(new Set(ids).size).toBe(2000);
  });

  it('is made of the randomness that it is given, and of nothing else', () => {
    expect(newId(counting())).toBe(newId(counting()));
    expect(newId(counting(1))).not.toBe(newId(counting()));
  });

  it('makes use of every letter and digit in every place, none more often than others', () => {
    const places = Array.from({ length: 12 }, () => new Map<string, number>());
    const random = counting();
    for (let i = 0; i < 20_000; i += 1) {
      for (const [place, char] of [...newId(random)].entries()) {
        const seen = places[place] as Map<string, number>;
        seen.set(char, (seen.get(char) ?? 0) + 1);
      }
    }
    for (const [place, seen] of places.entries()) {
      expect([...seen.keys()].sort().join('')).toBe(
        place === 0 ? 'abcdefghijklmnopqrstuvwxyz' : '0123456789abcdefghijklmnopqrstuvwxyz',
      );
      expect(Math.max(...seen.values()) / Math.min(...seen.values())).toBeLessThan(1.5);
    }
  });
});

/** Bytes that are the same each time, and each as often as the others. */
function counting(seed = 0): (size: number) => Uint8Array {
  let state = seed;
  return (size) =>
    Uint8Array.from({ length: size }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
}
