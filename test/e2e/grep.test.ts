import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readlinkSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import { machine } from '../../src/host/host.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { makeNode } from '../support/libc.js';
import { type ErrorJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { measure } from '../support/many.js';
import { recorder } from '../support/recorder.js';

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
    await lxc.clone('base', 'slow');
    {
      using root = lxc.mount('slow');
      const write = (path: string, content: string | Buffer, mode = 0o644) => {
        mkdirSync(dirname(join(root.path, path)), { recursive: true });
        writeFileSync(join(root.path, path), content);
        chmodSync(join(root.path, path), mode);
      };
      write('a/first', 'aaa\n');
      write('a/second', `${'a'.repeat(40)}!\n`);
      write('a/third', 'aaa\n');
      write('b/ours', 'a secret\n', 0o600);
      write('b/yours', `x\nsecret\n${'x\n'.repeat(999_999)}secret\n`, 0o000);
      write('latin/one', Buffer.from('caf\xe9\n', 'latin1'));
      write('latin/nul', 'cafe\0\n');
      write('latin/hole', `${'cafe\n'.repeat(10_000)}`);
      truncateSync(join(root.path, 'latin/hole'), 1 << 30);
      write('many/a', 'a\n'.repeat(1 << 20));
    }
    await lxc.commit('slow', 'first');
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

  it('tells what one file cannot be searched for, and searches the others', async () => {
    const { exitCode, stdout, stderr } = await lxc.lxcv('grep', '--perl', '(a+)+$', 'slow', '--json', '--', 'a');
    const told = JSON.parse(stdout) as GrepJson & { unsearched: { path: string; reason: string }[] };
    expect(told.matches.map(({ path, text }) => `${path} ${text}`)).toEqual(['a/first aaa', 'a/third aaa']);
    expect(told.unsearched).toMatchObject([{ path: 'a/second', reason: expect.stringMatching(/backtracking limit/) }]);
    expect(stderr).toMatch(/^lxcv: \/a\/second in slow@0 was not searched to its end: grep /m);
    expect(exitCode).toBe(1);
  });

  it('tells a file that grep goes on behind, and stops at the first match of one where names are enough', async () => {
    const { programs } = machine;
    const words: string[] = [];
    let runs = 0;
    const startConfined: typeof programs.startConfined = (program, args, options) => {
      words.push(...args);
      runs += 1;
      if (runs > 1) return programs.startConfined(program, args, options);
      const script = 'printf "/dev/fd/5\\0001:aaa\\n"; echo "grep: /dev/fd/3: Input/output error" >&2; exit 2';
      return programs.startConfined('sh', ['-c', script], options);
    };
    const engine = await openEngine({
      lxcpath: lxc.lxcpath,
      host: { ...machine, programs: { ...programs, startConfined } },
    });
    const request = { pattern: 'a', revisions: ['slow@0'], paths: ['a' as BytePath], firstLines: true };
    const told: unknown[] = [];
    for await (const some of engine.grep(request)) told.push(...some);
    expect(told).toEqual([
      expect.objectContaining({ path: 'a/third', line: 1 }),
      expect.objectContaining({ path: 'a/first', reason: 'says: Input/output error' }),
    ]);
    expect(words).toContain('-m1');
    const { stdout } = await lxc.lxcv('grep', '-l', 'a', 'slow', '--', 'many');
    expect(stdout).toBe('slow@0:many/a\n');
  });

  it('keeps within what ulimit lets a file be', async () => {
    const script = 'ulimit -f 8; exec "$0" "$@"';
    const command = [process.execPath, LXCV, 'grep', 'needle', 'mysql', '-P', lxc.lxcpath, '--', 'etc/many/7'];
    expect(await lxc.program('sh', ['-c', script, ...command])).toMatchObject({
      exitCode: 0,
      stdout: 'mysql@1:etc/many/7:1:changed needle\n',
    });
  });

  it('has grep read as nobody what others may not, in a file of its own, or as its input', async () => {
    using told = recorder('grep');
    const line = (words: string[]) => lxc.lxcvWith({ env: { PATH: told.path } }, 'grep', ...words);
    const { stdout } = await line(['-i', 'secret', 'slow', '--', 'b']);
    expect(stdout).toBe('slow@0:b/ours:1:a secret\nslow@0:b/yours:2:secret\nslow@0:b/yours:1000002:secret\n');
    expect(told.told()).toMatchObject({ uid: '65534', effective: '0'.repeat(16), bounding: '0'.repeat(16) });
    expect(told.told()).toMatchObject({
      noNewPrivileges: '1',
      memory: `${1 << 27}`,
      file: '65536',
      cpu: expect.stringMatching(/^1\d$/),
    });
    expect(told.told().namespace).not.toBe(readlinkSync('/proc/self/ns/mnt'));
  });

  it('keeps lines that are not UTF-8, and passes over what has NUL bytes or holes', async () => {
    const { stdout } = await lxc.lxcv('grep', '-i', 'caf', 'slow', '--', 'latin');
    expect(Buffer.from(stdout).length).toBeGreaterThan(0);
    expect(stdout).toMatch(/^slow@0:latin\/one:1:caf/);
    expect(stdout.split('\n')).toHaveLength(2);
  });

  it('takes of many matches what they take to be told, and holds few', async () => {
    let isLarge = false;
    const onLarge = () => {
      isLarge = true;
    };
    const engine = await openEngine({ lxcpath: lxc.lxcpath, onLarge });
    const before = process.memoryUsage();
    let most = 0;
    let lines = 0;
    const request = { pattern: 'a', revisions: ['slow@0'], paths: ['many' as BytePath] };
    for await (const some of engine.grep(request)) {
      lines += some.length;
      const { heapUsed, external } = process.memoryUsage();
      most = Math.max(most, heapUsed + external - before.heapUsed - before.external);
    }
    expect(lines).toBe(1 << 20);
    // All of them held would be 250 MB.
    expect(most).toBeLessThan(100 << 20);
    expect(isLarge).toBe(true);
  });

  it('takes 120 MiB for the JSON of a million matches', () => {
    const { stdout, exitCode, peakMib } = measure(lxc, 'grep', '--json', 'a', 'slow@0', '--', 'many');
    expect(exitCode).toBe(0);
    expect(stdout.match(/"line": /g)).toHaveLength(1 << 20);
    expect(peakMib).toBeLessThan(120);
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
