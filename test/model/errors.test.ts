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
