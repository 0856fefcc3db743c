import { describe, expect, it } from 'vitest';
import { parseSeconds } from '../../src/model/duration.js';

describe('parseSeconds', () => {
  it.each([
    ['10', 10_000],
    ['2.5', 2500],
    ['.2', 200],
    ['3600', 3_600_000],
  ])('takes %s', (text, ms) => {
    expect(parseSeconds('--max-pause', text)).toBe(ms);
  });

  it.each(['', '0', '0.0', '-1', '1e3', '3601', '1s', 'NaN', ' 1', '.'])('refuses %j', (text) => {
    expect(() => parseSeconds('--max-pause', text)).toThrow(expect.objectContaining({ code: 'bad-usage' }));
  });
});
