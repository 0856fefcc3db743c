import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import type { ContainerName } from '../../src/model/version.js';
import { LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { randomFor } from '../support/seed.js';

const SIGNAL_AT = fileURLToPath(new URL('../support/signal-at.cjs', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Of each operation so many calls are tried, spread evenly, from one on that the seed tells. */
const POINTS = 8;
const SEED = randomFor('calls at which a signal comes').below(1000);

interface Case {
  readonly running?: true;
  /** Makes what the command needs, each time anew. @param turn counts them. */
  readonly prepare?: (lxc: TestLxc, turn: number) => void;
  readonly command: (turn: number) => string[];
}

const CASES: Readonly<Record<string, Case>> = {
  'a first commit': {
    prepare: (lxc, turn) => makeContainer(lxc, `new${turn}`),
    command: (turn) => ['commit', '-m', 'first', `new${turn}`],
  },
  'a commit of a stopped container': {
    prepare: (lxc, turn) => write(lxc, `${turn}`),
    command: () => ['commit', '-m', 'again', 'web'],
  },
  'a commit of a running container': {
    running: true,
    command: () => ['commit', '-m', 'again', '--allow-empty', 'base'],
  },
  'a checkout of a new container': { command: (turn) => ['checkout', 'web@0', `copy${turn}`] },
  'a checkout in place': {
    prepare: (lxc, turn) => write(lxc, `${turn}`),
    command: (turn) => ['checkout', `web@${turn % 2}`],
  },
  'a new branch': { command: (turn) => ['branch', 'web', `branch${turn}`] },
  'a new tag': { command: (turn) => ['tag', '-m', 'why', 'web', `tag${turn}`] },
};

describe('what was done is told, and nothing else is, whenever a signal comes in', () => {
  it.each(Object.entries(CASES))('%s', async (_, { running, prepare, command }) => {
    using lxc = temporaryLxc();
    if (running) {
      lxc.createBase();
      lxc.quieten('base');
      await lxc.commit('base', 'first');
      await lxc.start('base');
    } else {
      makeContainer(lxc, 'web');
      await lxc.commit('web', 'first');
      write(lxc, 'second');
      await lxc.commit('web', 'second');
    }
    prepare?.(lxc, 0);
    const counter = join(lxc.directory, 'calls');
    expect(run(lxc, `count ${counter}`, command(0))).toMatchObject({ status: 0 });
    const calls = Number(readFileSync(counter, 'utf8').trim());
    const stride = Math.max(1, Math.floor(calls / POINTS));

    let died = 0;
    for (let turn = 1, at = SEED % stride; at < calls; turn += 1, at += stride) {
      prepare?.(lxc, turn);
      const before = await stateOf(lxc);
      const signal = SIGNALS[turn % SIGNALS.length] as NodeJS.Signals;
      const asJson = (turn + SEED) % 2 === 0;
      const told = run(lxc, `${signal} ${at}`, [...command(turn), ...(asJson ? ['--json'] : [])]);
      const made = (await stateOf(lxc)).filter((thing) => !before.includes(thing));
      const point = `${signal} at ${at} of ${calls}, ${JSON.stringify(told)}, made ${made}`;
      if (told.signal !== null) died += 1;
      expect(told.signal ?? told.status, point).toBe(told.signal === null ? 0 : signal);
      expect(isTold(told.stdout, asJson), point).toBe(made.length > 0);
      for (const id of idsIn(told.stdout, asJson)) expect(made.join(), point).toContain(`version ${id}`);
      expect(`${told.stdout}${told.stderr}`.includes('Nothing was done') && made.length > 0, point).toBe(false);
    }
    expect(died).toBeGreaterThan(POINTS / 2);
    expect((await lxc.lxcv('fsck')).stdout).toBe('Nothing is wrong.\n');
  });
});

describe('a version is told', () => {
  it('before it is sealed: what ends lxcv then comes too late', () => {
    using lxc = temporaryLxc();
    makeContainer(lxc, 'web');
    const { signal, stdout } = run(lxc, 'SIGKILL /entries', ['commit', '-m', 'first', '--json', 'web']);
    expect(signal).toBe('SIGKILL');
    expect(JSON.parse(stdout)).toMatchObject({ version: { number: 0 } });
  });

  it('where a signal comes while a hook runs that it is not told to', async () => {
    using lxc = temporaryLxc();
    makeContainer(lxc, 'web');
    await lxc.commit('web', 'first');
    const hooks = join(lxc.store, 'web/hooks');
    mkdirSync(hooks);
    writeFileSync(join(hooks, 'post-commit'), '#!/bin/sh\nkill -TERM $PPID\n', { mode: 0o755 });
    const { signal, stdout } = run(lxc, 'count /dev/null', [
      'commit',
      '-m',
      'second',
      '--allow-empty',
      '--json',
      'web',
    ]);
    expect(signal).toBe('SIGTERM');
    expect(JSON.parse(stdout)).toMatchObject({ version: { number: 1 } });
  });
});

function makeContainer(lxc: TestLxc, name: string): void {
  const directory = join(lxc.lxcpath, name);
  mkdirSync(join(directory, 'rootfs/etc'), { recursive: true });
  writeFileSync(join(directory, 'rootfs/etc/hosts'), 'localhost\n');
  writeFileSync(join(directory, 'config'), `lxc.rootfs.path = dir:${directory}/rootfs\nlxc.uts.name = ${name}\n`);
}

/** As the container itself would while it runs: nothing of a stopped one is mounted. */
function write(lxc: TestLxc, text: string): void {
  writeFileSync(join(lxc.rootfs('web').upper, 'written'), text);
}

function run(lxc: TestLxc, what: string, [command = '', ...args]: readonly string[]) {
  const words = ['--require', SIGNAL_AT, LXCV, command, '-P', lxc.lxcpath, ...args];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, words, {
    env: { PATH: process.env.PATH, HOME: lxc.directory, LXCV_TEST_SIGNAL: what },
    encoding: 'utf8',
  });
  return { status, signal, stdout, stderr };
}

/** All that a command can change, a line each. */
async function stateOf(lxc: TestLxc): Promise<string[]> {
  const engine = await openEngine({ lxcpath: lxc.lxcpath });
  const { containers, repositories } = await engine.list();
  const of = [...new Set([...containers, ...repositories].map((it) => ('repository' in it ? it.repository : it.name)))];
  const state = containers.map(({ name, version }) => `container ${name} at ${version?.id}`);
  for (const repository of of as readonly string[] as readonly ContainerName[]) {
    const { entries } = await engine.log({ revision: repository, all: true });
    const { branches } = await engine.listBranches(repository);
    const { tags } = await engine.listTags(repository);
    state.push(...entries.map(({ version }) => `version ${version.id}`));
    state.push(...branches.map(({ name, version }) => `branch ${name} at ${version.id}`));
    state.push(...tags.map(({ name }) => `tag ${name}`));
  }
  return state;
}

/** Of JSON there must be one whole document, or nothing at all. */
function isTold(stdout: string, asJson: boolean): boolean {
  return stdout !== '' && !(asJson && 'error' in JSON.parse(stdout));
}

/** Of the versions that were made, as far as they are told of. */
function idsIn(stdout: string, asJson: boolean): string[] {
  if (!asJson) return [...stdout.matchAll(/^(?:.* )?\[\S+ @\d+ (\w{7})\]/gm)].map(([, id]) => id as string);
  const { version, saved } = JSON.parse(stdout || '{}') as Record<'version' | 'saved', { id: string; message: string }>;
  return [saved?.id, version?.message === 'again' ? version.id : undefined].flatMap((id) => id ?? []);
}
