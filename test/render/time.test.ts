import { describe, expect, it } from 'vitest';
import type { Style } from '../../src/render/style.js';
import { formatTime } from '../../src/render/time.js';

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
