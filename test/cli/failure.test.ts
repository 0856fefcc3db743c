import { describe, expect, it } from 'vitest';
import { exitCodeOf, formatFailure, toFailure } from '../../src/cli/failure.js';
import { LxcvError } from '../../src/model/errors.js';

describe('toFailure', () => {
  it('takes an LxcvError as it is', () => {
    const failure = toFailure(new LxcvError('branch-in-use', 'it is in use', 'Leave it.'));
    expect(failure).toEqual({ code: 'branch-in-use', message: 'it is in use', hint: 'Leave it.' });
    expect(exitCodeOf(failure)).toBe(3);
  });

  it.each([
    ['ENOSPC', 'no-space', 1],
    ['EROFS', 'read-only', 1],
    ['EXDEV', 'other-file-system', 3],
    ['ENAMETOOLONG', 'too-long', 1],
  ])('explains the error %s of the system', (code, expected, exitCode) => {
    const failure = toFailure(Object.assign(new Error(`${code}: write`), { code }));
    expect(failure.code).toBe(expected);
    expect(failure.message).toContain(`${code}: write`);
    expect(exitCodeOf(failure)).toBe(exitCode);
  });

  it('says of what nobody expected what it was, and no more', () => {
    const failure = toFailure(new TypeError('x is not a function'));
    expect(failure.code).toBe('failed');
    expect(failure.message).toContain('x is not a function');
    expect(formatFailure(failure)).not.toContain('    at ');
  });
});

describe('formatFailure', () => {
  it('is two lines, whatever the message holds, and nothing in them that a terminal would obey', () => {
    const text = formatFailure({ code: 'failed', message: 'a\nb\x1b[31m', hint: 'c\r\nd' });
    expect(text.split('\n')).toHaveLength(3);
    expect(text.replaceAll('\n', '')).toMatch(/^[^\p{Cc}]*$/u);
  });
});
