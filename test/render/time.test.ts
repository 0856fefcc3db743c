import { describe, expect, it } from 'vitest';
import type { Style } from '../../src/render/style.js';
import { formatBytes, formatCount, formatNumber, formatTime } from '../../src/render/time.js';

const TERMINAL: Style = { colour: false, width: 80, now: new Date('2026-03-01T12:00:00.000Z'), human: true };
const PIPE: Style = { ...TERMINAL, human: false };

describe('formatTime', () => {
  it.each([
    ['2026-03-01T12:00:00.000Z', 'just now'],
    ['2026-03-01T11:59:00.001Z', 'just now'],
    ['2026-03-01T11:59:00.000Z', '1 minute ago'],
    ['2026-03-01T11:00:01.000Z', '59 minutes ago'],
    ['2026-03-01T11:00:00.000Z', '1 hour ago'],
    ['2026-02-28T12:00:01.000Z', '23 hours ago'],
    ['2026-02-28T12:00:00.000Z', '1 day ago'],
    ['2026-02-16T12:00:00.000Z', '13 days ago'],
    ['2026-02-15T12:00:00.000Z', '2 weeks ago'],
    ['2026-01-11T12:00:00.000Z', '7 weeks ago'],
    ['2026-01-02T03:04:05.678Z', '2026-01-02'],
  ])('tells a terminal that %s is %s', (time, told) => {
    expect(formatTime(time, TERMINAL)).toBe(told);
  });

  it.each([
    ['2026-03-01T12:00:59.000Z', 'just now'],
    ['2026-03-01T15:30:00.000Z', 'in 3 hours'],
    ['2027-03-01T12:00:00.000Z', '2027-03-01'],
  ])('takes a clock that was set back: %s is %s', (time, told) => {
    expect(formatTime(time, TERMINAL)).toBe(told);
  });

  it('tells a pipe the second, in UTC', () => {
    expect(formatTime('2026-01-02T03:04:05.678Z', PIPE)).toBe('2026-01-02 03:04:05Z');
  });
});

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
