import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNode } from '../support/libc.js';
import { type ErrorJson, type TestLxc, temporaryLxc } from '../support/lxc.js';

interface GrepJson {
  readonly matches: readonly {
    readonly revision: string;
    readonly path: string;
    readonly line: number;
    readonly text: string;
  }[];
}

describe('grep', () => {
  let lxc: TestLxc;

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    writeFileSync(join(lxc.directory, 'secret'), 'needle on the host\n');
    {
      using root = lxc.mount('mysql');
      const etc = join(root.path, 'etc');
      mkdirSync(join(etc, 'many'));
      for (let index = 0; index < 450; index += 1)
        writeFileSync(join(etc, 'many', `${index}`), `hay\nneedle ${index}\n`);
      symlinkSync(lxc.directory, join(etc, 'away'));
      symlinkSync(join(lxc.directory, 'secret'), join(etc, 'link'));
      makeNode(Buffer.from(join(etc, 'pipe')), 0o010644, { major: 0, minor: 0 });
      writeFileSync(join(etc, 'binary'), 'needle\0needle\n');
      writeFileSync(join(etc, 'sparse'), '');
      truncateSync(join(etc, 'sparse'), 10 * 2 ** 30);
      writeFileSync(join(etc, 'odd\n\x1b[2Jname'), 'Needle: \x1b[31mred\n');
    }
    await lxc.commit('mysql', 'first');
    {
      using root = lxc.mount('mysql');
      writeFileSync(join(root.path, 'etc/many/7'), 'changed needle\n');
    }
    await lxc.commit('mysql', 'second');
  });
  afterAll(() => lxc[Symbol.dispose]());

  it('finds what grep finds in the same files, however many they are, and follows no link', async () => {
    const { matches } = await json('needle', 'mysql@0', '--', '/etc');
    expect(matches.map(({ text }) => text).filter((text) => text.includes('host'))).toEqual([]);
    const dir = join(lxc.directory, 'mnt');
    mkdirSync(dir);
    await lxc.json('mount', 'mysql@0', dir);
    try {
      const told = execFileSync('grep', ['-rnID', 'skip', 'needle', 'etc'], { cwd: dir, encoding: 'utf8' });
      const expected = told.trim().split('\n').sort();
      expect(matches.map(({ path, line, text }) => `${path}:${line}:${text}`).sort()).toEqual(expected);
      expect(expected).toHaveLength(450);
    } finally {
      await lxc.json('umount', dir);
    }
  });

  it('tells what each of several revisions has, and what a container holds now', async () => {
    const { matches } = await json('needle', 'mysql@0', 'mysql@1', 'mysql@WORK', '--', 'etc/many/7', 'etc/many/8');
    expect(matches.map(({ revision, path, text }) => `${revision} ${path} ${text}`)).toEqual([
      'mysql@0 etc/many/7 needle 7',
      'mysql@0 etc/many/8 needle 8',
      'mysql@1 etc/many/7 changed needle',
      'mysql@1 etc/many/8 needle 8',
      'mysql@WORK etc/many/7 changed needle',
      'mysql@WORK etc/many/8 needle 8',
    ]);
  });

  it('reads the pattern as it is told to', async () => {
    expect((await json('-F', 'needle.8', 'mysql')).matches).toEqual([]);
    expect((await json('-E', '^(changed|nothing) ', 'mysql')).matches).toHaveLength(1);
    expect((await json('-i', '-w', 'NEEDLE:', 'mysql', '--', 'etc')).matches).toHaveLength(1);
    const files = await lxc.lxcv('grep', '-l', 'needle', 'mysql', '--', 'etc/many/7');
    expect(files).toMatchObject({ exitCode: 0, stdout: 'mysql@1:etc/many/7\n' });
  });

  it('ends with 1 where nothing matches, and says what is wrong with a pattern', async () => {
    expect(await lxc.lxcv('grep', 'nowhere to be found', 'mysql', '--', 'etc')).toMatchObject({
      exitCode: 1,
      stdout: '',
    });
    const { exitCode, stdout } = await lxc.lxcv('grep', '--json', '-E', '(', 'mysql', '--', 'etc/many');
    expect([exitCode, (JSON.parse(stdout) as ErrorJson).error.code]).toEqual([2, 'bad-usage']);
  });

  it('sends a terminal nothing that it would obey', async () => {
    const words = [process.execPath, new URL('../../dist/src/main.cjs', import.meta.url).pathname];
    const line = [...words, 'grep', 'Needle:', 'mysql', '-P', lxc.lxcpath].map((word) => `'${word}'`).join(' ');
    const { stdout } = await lxc.program('script', ['-qec', line, '/dev/null'], {
      env: { TERM: 'xterm', LXCV_PAGER: 'cat' },
    });
    expect(stdout).not.toContain('\x1b[2J');
    expect(stdout).not.toContain('\x1b[31m');
    expect(stdout).toContain('\\x1b[31mred');
  });

  async function json(...args: string[]): Promise<GrepJson> {
    return JSON.parse((await lxc.lxcv('grep', '--json', ...args)).stdout) as GrepJson;
  }
});
