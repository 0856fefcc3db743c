import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/model/nearest.js';

describe('nearest', () => {
  it.each([
    ['tunign', ['mysql', 'tuning'], 'tuning'],
    ['stauts', ['start', 'status'], 'status'],
    ['comit', ['commit', 'comment'], 'commit'],
    ['wbe', ['web', 'db'], 'web'],
    ['MySQL', ['mysql'], 'mysql'],
    ['zzz', ['web', 'db'], undefined],
    ['a', ['b'], undefined],
    ['web', ['web'], undefined],
    ['web', [], undefined],
  ])('of %s among %j is %s', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });

  it('gives words up that are too long to compare', () => {
    expect(nearest('a'.repeat(1_000_000), ['a'.repeat(999_999)])).toBeUndefined();
  });
});
