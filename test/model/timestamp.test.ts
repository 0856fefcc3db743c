import { describe, expect, it } from 'vitest';
import { formatInstant } from '../../src/model/timestamp.js';

describe('a moment', () => {
  it.each([
    [0n, '1970-01-01T00:00:00.000000000Z'],
    [1_600_000_000_000_000_001n, '2020-09-13T12:26:40.000000001Z'],
    [1_999_999_999_999_999_999n, '2033-05-18T03:33:19.999999999Z'],
    [-62_135_596_800n * 10n ** 9n, '0001-01-01T00:00:00.000000000Z'],
    [-62_198_755_200n * 10n ** 9n, '-000001-01-01T00:00:00.000000000Z'],
    [253_402_300_800n * 10n ** 9n, '+010000-01-01T00:00:00.000000000Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
  ])('of %d ns keeps every nanosecond', (ns, text) => {
    expect(formatInstant(ns)).toBe(text);
  });
});
