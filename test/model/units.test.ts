import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatNumber } from '../../src/model/units.js';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [4_404_019, '4.2 MiB'],
    [99.9 * 1024, '99.9 KiB'],
    [99.96 * 1024, '100 KiB'],
    [684 * 1024 ** 2, '684 MiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [1.2 * 1024 ** 3, '1.2 GiB'],
    [5000 * 1024 ** 5, '5000 PiB'],
  ])('writes %d as %s', (bytes, written) => {
    expect(formatBytes(bytes)).toBe(written);
  });
});

describe('formatCount', () => {
  it.each([
    [0, '0 versions'],
    [1, '1 version'],
    [1234, '1,234 versions'],
  ])('of %d is %s', (count, told) => {
    expect(formatCount(count, 'version', 'versions')).toBe(told);
  });
});

describe('formatNumber', () => {
  it.each([
    [999, '999'],
    [1000, '1,000'],
    [1_234_567, '1,234,567'],
  ])('writes %d as %s', (value, written) => {
    expect(formatNumber(value)).toBe(written);
  });
});
