import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, EXIT_CODES, LxcvError } from '../../src/model/errors.js';

describe('LxcvError', () => {
  it('carries a code, what is wrong, what to do and what caused it', () => {
    const cause = new Error('below');
    const error = new LxcvError('no-lxc', 'LXC is missing', 'Install it.', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'LxcvError',
      code: 'no-lxc',
      message: 'LXC is missing',
      hint: 'Install it.',
      cause,
    });
    expect(new LxcvError('failed', 'a', 'b')).not.toHaveProperty('cause');
  });

  it.each(Object.keys(EXIT_CODES) as ErrorCode[])('%s ends with a documented exit code', (code) => {
    const { exitCode } = new LxcvError(code, 'message', 'hint');
    expect([1, 2, 3, 4, 5]).toContain(exitCode);
    if (code.startsWith('bad-')) expect(exitCode).toBe(2);
    if (code.endsWith('-not-found')) expect(exitCode).toBe(4);
    if (code.startsWith('store-')) expect(exitCode).toBe(5);
  });
});

it('the exit codes are documented as they are', () => {
  const page = readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| ([1-5]) \| [^|]+ \| (`.*`) \|$/gm)];
  const documented = rows.flatMap(([, exitCode, codes = '']) =>
    codes.split(', ').map((code) => [code.replaceAll('`', ''), Number(exitCode)] as const),
  );
  expect(Object.fromEntries(documented)).toEqual(EXIT_CODES);
});
