import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';

const BIG = 'x'.repeat(1_000_000);
let lxc: TestLxc;
let full: number;

beforeAll(async () => {
  lxc = temporaryLxc();
  full = openSync('/dev/full', 'w');
  const directory = join(lxc.lxcpath, 'web');
  mkdirSync(join(directory, 'rootfs/etc'), { recursive: true });
  writeFileSync(join(directory, 'rootfs/etc/hosts'), 'localhost\n');
  writeFileSync(join(directory, 'rootfs/big'), BIG);
  writeFileSync(join(directory, 'config'), `lxc.rootfs.path = dir:${directory}/rootfs\nlxc.uts.name = web\n`);
  await lxc.commit('web', 'first');
  writeFileSync(join(lxc.rootfs('web').upper, 'etc'), '');
  await lxc.commit('web', 'second');
});

afterAll(() => {
  closeSync(full);
  lxc[Symbol.dispose]();
});

const READERS: readonly (readonly string[])[] = [
  ['list'],
  ['log', 'web'],
  ['show', 'web'],
  ['show', 'web@0:/'],
  ['show', 'web@0:/big'],
  ['diff', 'web@0', 'web@1'],
  ['diff', '-p', 'web@0', 'web@1'],
  ['blame', 'web@0', 'etc/hosts'],
  ['grep', 'localhost', 'web@0'],
  ['status', 'web'],
  ['branch', 'web'],
  ['fsck'],
  ['export', '-o', '-', 'web'],
  ['--help'],
  ['--version'],
];

describe('standard output that is full', () => {
  it.each(READERS)('ends with 1 and a line of why: %s %s %s', (...args) => {
    expect(run(full, args)).toMatchObject({ status: 1, stderr: expect.stringMatching(NO_SPACE) });
  });

  it('is told by --version as by all else', () => {
    expect(run(full, ['--version']).stderr).toBe(run(full, ['list']).stderr);
  });

  it.each([
    ['list', '--json'],
    ['log', 'web', '--json'],
  ])('does so of JSON too: %s', (...args) => {
    expect(run(full, args)).toMatchObject({ status: 1, stderr: expect.stringMatching(NO_SPACE) });
  });

  it.each([
    [['commit', '-m', 'more', '--allow-empty', 'web'], /^lxcv: the version was made: web @(\d+) [a-z0-9]{12}; but /],
    [['commit', '-m', 'more', '--allow-empty', 'web', '--json'], /^lxcv: the version was made: web @(\d+) /],
    [['branch', 'web', 'tuning'], /^lxcv: created branch tuning at @\d+; but /],
    [['tag', 'web', 'v1'], /^lxcv: created tag v1 on @\d+; but /],
    [['checkout', 'web@0', 'copy'], /^lxcv: copy is at @0; but /],
  ])('does not undo what was done, which is told: %s', async (args, told) => {
    const { status, stderr } = run(full, args);
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringMatching(told) });
    expect(stderr).toMatch(NO_SPACE);
    const [newest] = (await lxc.json<{ versions: { number: number }[] }>('log', 'web')).versions;
    const number = told.exec(stderr)?.[1];
    if (number !== undefined) expect(newest?.number).toBe(Number(number));
  });

  it('is told also where it takes a part', () => {
    const directory = join(lxc.directory, 'small');
    mkdirSync(directory);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', directory]).status).toBe(0);
    try {
      const file = openSync(join(directory, 'out'), 'w');
      expect(run(file, ['show', 'web@0:/big'])).toMatchObject({ status: 1, stderr: expect.stringMatching(NO_SPACE) });
      closeSync(file);
      expect(statSync(join(directory, 'out')).size).toBeGreaterThan(0);
    } finally {
      spawnSync('umount', [directory]);
    }
  });
});

describe('standard output that nobody reads any more', () => {
  it.each([...READERS, ['log', 'web', '--json']])('ends a command quietly: %s %s %s', (...args) => {
    expect(runUnread(args)).toEqual({ status: 0, stderr: '' });
  });

  it('is no reason not to commit', async () => {
    expect(runUnread(['commit', '-m', 'unread', '--allow-empty', 'web'])).toEqual({ status: 0, stderr: '' });
    const [newest] = (await lxc.json<{ versions: { message: string }[] }>('log', 'web')).versions;
    expect(newest?.message).toBe('unread');
  });
});

describe('standard output that is closed', () => {
  it('counts as /dev/null', () => {
    const words = `exec "$0" "$1" commit -P "$2" -m closed --allow-empty web >&- 2>&-`;
    expect(spawnSync('sh', ['-c', words, process.execPath, LXCV, lxc.lxcpath]).status).toBe(0);
  });
});

it('a pipe that takes little at once, as others can make one, gets everything', async () => {
  const { reader, writer } = openPipe('slow', constants.O_NONBLOCK);
  const cat = spawn('cat', [join(lxc.directory, 'slow')], { stdio: ['ignore', 'pipe', 'inherit'] });
  let length = 0;
  cat.stdout.on('data', (bytes: Buffer) => {
    length += bytes.length;
  });
  await once(cat, 'spawn');
  // Of what it hands on as descriptors up to 2 Node would make a blocking one.
  const words = ['-c', 'exec "$@" >&3', 'sh', process.execPath, ...wordsOf('show', ['web@0:/big'])];
  const child = spawn('sh', words, { env: environment(), stdio: ['ignore', 'ignore', 'inherit', writer] });
  for (const descriptor of [reader, writer]) closeSync(descriptor);
  const ends = [once(child, 'close'), once(cat, 'close')];
  expect((await Promise.all(ends)).map(([code]) => code)).toEqual([0, 0]);
  expect(length).toBe(BIG.length);
});

it('standard error that is full is no reason to end anything', () => {
  const words = ['commit', '-m', 'deaf', '--allow-empty', 'web'];
  const out = join(lxc.directory, 'out');
  const file = openSync(out, 'w');
  expect(run(file, words, full).status).toBe(0);
  closeSync(file);
  expect(readFileSync(out, 'utf8')).toContain('deaf');
});

const NO_SPACE = /no space left on device/i;

function run(stdout: number, [command = '', ...args]: readonly string[], stderr: number | 'pipe' = 'pipe') {
  const told = spawnSync(process.execPath, wordsOf(command, args), {
    env: environment(),
    stdio: ['ignore', stdout, stderr],
    encoding: 'utf8',
  });
  return { status: told.status, stderr: told.stderr };
}

/** With a pipe that has no reader from the start. */
function runUnread(args: readonly string[]) {
  const { reader, writer } = openPipe('unread');
  closeSync(reader);
  const told = run(writer, args);
  closeSync(writer);
  rmSync(join(lxc.directory, 'unread'));
  return told;
}

/** Both ends of a named pipe in the directory. @param flags of the one that is written to. */
function openPipe(name: string, flags = 0) {
  const path = join(lxc.directory, name);
  spawnSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY | flags) };
}

function wordsOf(command: string, args: readonly string[]): string[] {
  return command.startsWith('-') ? [LXCV, command] : [LXCV, command, '-P', lxc.lxcpath, ...args];
}

function environment() {
  return { PATH: process.env.PATH, HOME: lxc.directory };
}
