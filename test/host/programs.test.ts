import { describe, expect, it } from 'vitest';
import { programs } from '../../src/host/programs.js';

describe('programs.run', () => {
  it('collects what a program prints, and its exit code', async () => {
    expect(await programs.run('sh', ['-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      exitCode: 3,
      stdout: 'out',
      stderr: 'err',
      missing: false,
    });
  });

  it('passes arguments as they are, through no shell', async () => {
    const { stdout } = await programs.run('printf', ['%s.', 'a b', '$HOME', '*', "'"]);
    expect(stdout).toBe("a b.$HOME.*.'.");
  });

  it('gives a program an empty input and the C locale', async () => {
    const { stdout } = await programs.run('sh', ['-c', 'cat; echo "$LC_ALL"']);
    expect(stdout).toBe('C');
  });

  it('tells a program that is missing from one that fails', async () => {
    expect(await programs.run('no-such-program', [])).toMatchObject({ exitCode: undefined, missing: true });
    expect(await programs.run('false', [])).toMatchObject({ exitCode: 1, missing: false });
  });

  it('has no exit code of a program that was killed', async () => {
    expect(await programs.run('sh', ['-c', 'kill -9 $$'])).toMatchObject({ exitCode: undefined, missing: false });
  });
});
