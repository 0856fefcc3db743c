/** blame, log of a path and patches, compared with what git says of the same texts. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNode } from '../support/libc.js';
import { type CommitJson, type ErrorJson, type LogJson, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';

const TEXT = 'etc/text';
/** What the file holds, version by version: latin1 stands for bytes. null: it is not there. */
const MAIN: readonly (string | null)[] = [
  'one\ntwo\nthree\n',
  'one\ntwo\nthree\n',
  'zero\none\ntwo\nthree\n',
  'zero\none\nTWO\nthree\n',
  'zero\none\nTWO\r\nthree\nfour',
  null,
  '',
  'zero\none\n\xff\xfe latin\nfour\n\x1b[31mred\n',
];
/** A branch from the third version. */
const SIDE: readonly string[] = ['zero\none\ntwo\nside\nthree\n', 'side first\nzero\none\ntwo\nside\n'];

interface BlameJson {
  readonly lines: readonly {
    readonly number: number;
    readonly text: string;
    readonly version: { readonly message: string } | null;
  }[];
}

describe('texts of versions', () => {
  let lxc: TestLxc;
  let git: DisposablePath;

  beforeAll(async () => {
    [lxc, git] = [temporaryLxc(), temporaryDirectory()];
    runGit('init', '--quiet', '--initial-branch=mysql');
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    for (const [index, text] of MAIN.entries()) await add('mysql', `main ${index}`, text);
    await lxc.checkout('mysql@2', 'side');
    runGit('checkout', '--quiet', '-b', 'side', 'mysql~5');
    for (const [index, text] of SIDE.entries()) await add('side', `side ${index}`, text);
  });
  afterAll(() => {
    lxc[Symbol.dispose]();
    git[Symbol.dispose]();
  });

  it.each([
    ['mysql', 'mysql'],
    ['mysql@4', 'mysql~3'],
    ['mysql@3', 'mysql~4'],
    ['side', 'side'],
    ['side~1', 'side~1'],
  ])('blame of %s says of each line what git says', async (revision, commit) => {
    const { lines } = await lxc.json<BlameJson>('blame', revision, TEXT);
    const told = runGit('blame', '--porcelain', commit, '--', 'text').toString('latin1').split('\n');
    const summaries = new Map<string, string>();
    const expected: string[] = [];
    let at = '';
    for (const line of told) {
      at = /^([0-9a-f]{40}) /.exec(line)?.[1] ?? at;
      if (line.startsWith('summary ')) summaries.set(at, line.slice(8));
      if (line.startsWith('\t')) expected.push(`${summaries.get(at)}: ${line.slice(1)}`);
    }
    expect(expected.length).toBeGreaterThan(2);
    const utf8 = (text: string) => Buffer.from(text, 'latin1').toString('utf8');
    expect(lines.map(({ text, version }) => `${version?.message}: ${text}`)).toEqual(expected.map(utf8));
  });

  it('blame tells what is not committed yet of what a container holds now', async () => {
    using root = lxc.mount('side');
    writeFileSync(join(root.path, TEXT), `new\n${SIDE[1]}`);
    const { lines } = await lxc.json<BlameJson>('blame', 'side@WORK', TEXT);
    expect(lines.map(({ version }) => version?.message ?? null)[0]).toBeNull();
    expect(lines[1]?.version?.message).toBe('side 1');
    writeFileSync(join(root.path, TEXT), SIDE[1] as string);
  });

  it('blame shows no raw control character on a terminal, and the bytes as they are in a pipe', async () => {
    const shown = await onTerminal(lxc, ['blame', 'mysql', TEXT]);
    expect(controls(shown)).toEqual([]);
    expect(shown).toContain('\\x1b[31mred');
    const { stdout } = await lxc.lxcv('blame', 'mysql', TEXT);
    expect(stdout).toContain('\x1b[31mred\n');
  });

  it.each([
    ['mysql', 'mysql', []],
    ['side', 'side', []],
    ['mysql', 'mysql', ['-n', '2']],
  ])('log of a path of %s shows the versions that git shows', async (name, commit, options) => {
    const { versions } = await json<LogJson>('log', name, ...options, '--', `/${TEXT}`);
    const expected = runGit('log', '--format=%s', ...options, commit, '--', 'text')
      .toString()
      .trim()
      .split('\n');
    expect(versions.map(({ message }) => message)).toEqual(expected);
    const above = await json<LogJson>('log', name, ...options, '--', 'etc');
    expect(above.versions).toEqual(versions);
  });

  it('log of a path draws the way from each version to the next that is shown', async () => {
    const { stdout } = await lxc.lxcv('log', 'mysql', '--all', '--graph', '--oneline', '--', 'home/only-3');
    expect(stdout).toMatch(/^\* @3 \w+ main 3\n$/);
    const { versions } = await json<LogJson>('log', 'mysql', '--', 'nowhere');
    expect(versions).toEqual([]);
  });

  it('a patch is what git says, and makes of the old texts the new ones', async () => {
    using place = temporaryDirectory();
    const { stdout } = await lxc.lxcv('diff', '-p', 'mysql@2', 'side');
    expect(stdout).toContain('diff --git a/etc/text b/etc/text');
    mkdirSync(join(place.path, 'etc'));
    writeFileSync(join(place.path, TEXT), MAIN[2] as string);
    execFileSync('git', ['apply', '--include=etc/text'], { cwd: place.path, input: stdout });
    expect(execFileSync('cat', [join(place.path, TEXT)]).toString()).toBe(SIDE[1]);
    const json = await lxc.json<{ patch: string }>('diff', '-p', 'mysql@2', 'side');
    expect(json.patch).toBe(stdout);
  });

  it('a patch shows no raw control character on a terminal', async () => {
    const shown = await onTerminal(lxc, ['diff', '-p', 'mysql@4', 'mysql']);
    expect(controls(shown)).toEqual([]);
    expect(shown).toContain('\\x1b[31mred');
    expect(shown).toContain('\x1b[32m+');
  });

  it('what took the place of a text leads nowhere, and nothing waits for it', async () => {
    using outside = temporaryDirectory();
    writeFileSync(join(outside.path, 'text'), 'secret\n');
    {
      using root = lxc.mount('side');
      rmSync(join(root.path, TEXT));
      makeNode(Buffer.from(join(root.path, TEXT)), 0o010644, { major: 0, minor: 0 });
      symlinkSync(outside.path, join(root.path, 'etc/away'));
      symlinkSync(join(outside.path, 'text'), join(root.path, 'etc/link'));
      writeFileSync(join(root.path, 'etc/huge'), '');
      truncateSync(join(root.path, 'etc/huge'), 10 * 2 ** 30);
      writeFileSync(join(root.path, 'etc/"quoted"\n\x1b[2Jname'), 'odd\n');
    }
    const { version } = await lxc.json<CommitJson>('commit', '-m', 'hostile', 'side');
    for (const path of [TEXT, 'etc/away/text', 'etc/link', 'etc', 'nowhere']) {
      const { exitCode, stdout } = await lxc.lxcv('blame', 'side', path, '--json');
      expect([exitCode, (JSON.parse(stdout) as ErrorJson).error.code], path).toEqual([4, 'path-not-found']);
    }
    const huge = await lxc.lxcv('blame', 'side', 'etc/huge', '--json');
    expect([huge.exitCode, (JSON.parse(huge.stdout) as ErrorJson).error.code]).toEqual([3, 'not-text']);
    const { stdout } = await lxc.lxcv('diff', '-p', `side@${version.number}~1`, 'side@WORK');
    expect(stdout).not.toContain('secret');
    expect(stdout).toContain('Binary files /dev/null and b/etc/huge differ');
    expect(stdout).toContain('+odd');
    const shown = await onTerminal(lxc, ['diff', '-p', `side@${version.number}~1`, 'side']);
    expect(shown).not.toContain('\x1b[2J');
  });

  async function json<Result>(command: string, ...args: string[]): Promise<Result> {
    return JSON.parse((await lxc.lxcv(command, '--json', ...args)).stdout) as Result;
  }

  async function add(name: string, message: string, text: string | null): Promise<void> {
    {
      using root = lxc.mount(name);
      writeFileSync(join(root.path, 'home', message.replace('main ', 'only-')), message);
      write(join(root.path, TEXT), text);
    }
    await lxc.commit(name, message);
    write(join(git.path, 'text'), text);
    runGit('add', '--all');
    runGit('commit', '--quiet', '--allow-empty', '-m', message);
  }

  function runGit(...args: string[]): Buffer {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'core.autocrlf=false'];
    return execFileSync('git', [...identity, ...args], { cwd: git.path, env: { ...process.env, HOME: git.path } });
  }
});

/** The control characters in what a terminal is sent, but for colours, tabs and line feeds. */
function controls(shown: string): string[] {
  const text = stripVTControlCharacters(shown);
  return [...text].filter((character) => character < ' ' && character !== '\n' && character !== '\t');
}

function write(path: string, text: string | null): void {
  if (existsSync(path) && readFileSync(path, 'latin1') === text) return;
  rmSync(path, { force: true });
  if (text !== null) writeFileSync(path, text, 'latin1');
}

/** What a terminal of 120 columns is sent. */
async function onTerminal(lxc: TestLxc, args: readonly string[]): Promise<string> {
  const words = [
    process.execPath,
    new URL('../../dist/src/main.cjs', import.meta.url).pathname,
    ...args,
    '-P',
    lxc.lxcpath,
  ];
  const line = `stty cols 120; ${words.map((word) => `'${word}'`).join(' ')} | cat -u >/dev/null; exec ${words.map((word) => `'${word}'`).join(' ')}`;
  const { stdout } = await lxc.program('script', ['-qec', line, '/dev/null'], {
    env: { TERM: 'xterm', LXCV_PAGER: 'cat' },
  });
  return stdout.replaceAll('\r\n', '\n');
}
