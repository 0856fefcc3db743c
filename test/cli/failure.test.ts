import { describe, expect, it, vi } from 'vitest';
import { formatFailure, toFailure } from '../../src/cli/failure.js';
import { standardError } from '../../src/cli/output.js';
import { tellTroubles } from '../../src/cli/troubles.js';
import { EXIT_CODES, LxcvError } from '../../src/model/errors.js';
import type { RepositoryName } from '../../src/model/version.js';

describe('toFailure', () => {
  it('takes an LxcvError as it is', () => {
    const failure = toFailure(new LxcvError('branch-in-use', 'it is in use', 'Leave it.'));
    expect(failure).toEqual({ code: 'branch-in-use', message: 'it is in use', hint: 'Leave it.' });
    expect(EXIT_CODES[failure.code]).toBe(3);
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
    expect(EXIT_CODES[failure.code]).toBe(exitCode);
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

  it('breaks lines between words on a terminal, and no command that is to be pasted', () => {
    const failure = {
      code: 'failed',
      message: 'a message that is longer than forty columns of a terminal',
      hint: 'Do this or that: lxcv log -P /a/long/path --all web; or something else.',
    } as const;
    expect(formatFailure(failure, 40).split('\n')).toEqual([
      'lxcv: a message that is longer than',
      '      forty columns of a terminal',
      '      Do this or that:',
      '      lxcv log -P /a/long/path --all web;',
      '      or something else.',
      '',
    ]);
    expect(formatFailure(failure).split('\n')).toHaveLength(3);
    expect(formatFailure({ ...failure, hint: 'Usage: lxcv log [-n N] [-a] [--graph] REVISION' }, 40)).toContain(
      'Usage: lxcv log [-n N] [-a]\n      [--graph] REVISION\n',
    );
  });
});

describe('tellTroubles', () => {
  it('tells hints that fit the command line', () => {
    const write = vi.spyOn(standardError, 'write').mockReturnValue();
    const error = new LxcvError('store-damaged', 'it is damaged', 'lxcv fsck tells more.');
    const troubles = [{ repository: 'web' as RepositoryName, container: null, error }];
    const told = tellTroubles(troubles, (hint) => hint.replace('fsck', 'fsck -P /c'));
    expect(told[0]?.error.hint).toBe('lxcv fsck -P /c tells more.');
    expect(write.mock.calls).toEqual([['lxcv: web: it is damaged\n      lxcv fsck -P /c tells more.\n']]);
    expect(process.exitCode).toBe(5);
    process.exitCode = 0;
    write.mockRestore();
  });
});
