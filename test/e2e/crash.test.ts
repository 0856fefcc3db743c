import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CheckoutJson,
  type CommitJson,
  type LogJson,
  LXCV,
  type StatusJson,
  type TestLxc,
  temporaryLxc,
} from '../support/lxc.js';
import { randomFor } from '../support/seed.js';
import { compareTrees, expectSameTree, type Tree } from '../support/tree.js';
import { until } from '../support/until.js';

/** How often each operation is killed. */
const TRIES = 8;
/** The latest moment of a kill, in milliseconds after the first record of an operation: most are done by then. */
const LATEST_MS = 40;
const random = randomFor('kills at random moments');

describe('lxcv, killed at a random moment', () => {
  let lxc: TestLxc;
  /** What every version has to hold. */
  const versions = new Map<number, Tree>();
  const interrupted = new Map<string, number>();

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    lxc.quieten('mysql');
    for (const name of ['first', 'second', 'third']) {
      addFile(lxc, 'mysql', name);
      const { number } = await lxc.commit('mysql', name);
      versions.set(number, lxc.tree('mysql'));
    }
  });
  afterAll(() => lxc[Symbol.dispose]());

  it('in a commit leaves a container as it was, and the version whole or not at all', async () => {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      addFile(lxc, 'mysql', `stopped-${attempt}`);
      const tree = lxc.tree('mysql');
      await kill('mysql', 'commit', '-m', 'x', 'mysql');
      expectSameTree(lxc.tree('mysql'), tree);
      await expectVersions(tree);
      const { changes } = await lxc.json<StatusJson>('status', 'mysql');
      if (changes.length > 0) versions.set((await lxc.commit('mysql', 'Again')).number, tree);
      expectSameTree(lxc.tree('mysql'), tree);
    }
  });

  it('in a commit of a running container leaves it running, and the version whole or not at all', async () => {
    await lxc.json('checkout', 'mysql@1', 'busy');
    await lxc.start('busy');
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      await lxc.attach('busy', `echo ${attempt} >/home/running-${attempt} && rm -f /home/running-${attempt - 2}`);
      const tree = lxc.tree('busy');
      await kill('mysql', 'commit', '-m', 'x', 'busy');
      expectSameTree(lxc.tree('busy'), tree);
      await expectVersions(tree);
      await expectRunning(lxc, 'busy');
      expect(await lxc.attach('busy', `cat /home/running-${attempt}`)).toBe(`${attempt}\n`);
    }
    await lxc.attach('busy', 'echo last >/home/last');
    await lxc.stop('busy');
    const tree = lxc.tree('busy');
    versions.set((await lxc.commit('busy', 'Stopped')).number, tree);
  });

  it('in a checkout to a new name leaves a container that is whole, or none', async () => {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const name = `new-${attempt}`;
      const tree = versions.get(attempt % 3) as Tree;
      await kill('mysql', 'checkout', `mysql@${attempt % 3}`, name);
      const isThere = existsSync(join(lxc.lxcpath, name, 'config'));
      expect((await lxc.tool('lxc-ls', '-1')).stdout.split('\n').includes(name)).toBe(isThere);
      if (isThere) expectSameTree(lxc.tree(name), tree);
      await expectVersions(tree);
      expect(existsSync(join(lxc.lxcpath, name))).toBe(isThere);
      if (!isThere) await lxc.checkout(`mysql@${attempt % 3}`, name);
      expectSameTree(lxc.tree(name), tree);
    }
  });

  it('in a checkout in place leaves what was there or what is to be, and keeps the work', async () => {
    await lxc.checkout('mysql@2', 'switched');
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      addFile(lxc, 'switched', `work-${attempt}`);
      const tree = lxc.tree('switched');
      const target = versions.get(attempt % 3) as Tree;
      await kill('mysql', 'checkout', `switched@${attempt % 3}`);
      const isDone = compareTrees(lxc.tree('switched'), tree).length > 0;
      expectSameTree(lxc.tree('switched'), isDone ? target : tree);
      await expectVersions(tree);
      if (!isDone) {
        const { saved } = await lxc.json<CheckoutJson>('checkout', `switched@${attempt % 3}`);
        versions.set(saved?.number as number, tree);
      }
      expectSameTree(lxc.tree('switched'), target);
    }
  });

  it('in a first commit leaves a container that LXC can start', async () => {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const name = `plain-${attempt}`;
      if (attempt % 2 === 0) lxc.createBase(name);
      else await lxc.clone('base', name);
      addFile(lxc, name, 'work');
      const tree = lxc.tree(name);
      await kill(name, 'commit', '-m', 'x', name);
      expectSameTree(lxc.tree(name), tree);
      await lxc.start(name);
      expect((await lxc.lxcv('list')).exitCode).toBe(0);
      await lxc.attach(name, 'cat /home/work >/home/more');
      await lxc.stop(name);
      const later = lxc.tree(name);
      expect(compareTrees(later, tree).length).toBeGreaterThan(0);
      await lxc.json('commit', '-m', 'x', name);
      await lxc.checkout(name, `${name}-again`);
      expectSameTree(lxc.tree(`${name}-again`), later);
    }
  });

  it('harms no version, whether it was made before or after', async () => {
    const log = await lxc.json<LogJson>('log', 'mysql', '--all');
    expect(log.versions.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
      [...versions.keys()].sort((a, b) => a - b),
    );
    for (const [number, tree] of versions) {
      await lxc.checkout(`mysql@${number}`, `last-${number}`);
      expectSameTree(lxc.tree(`last-${number}`), tree);
    }
    expect([...interrupted.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(TRIES / 2);
  });

  /** Runs lxcv, and kills it at a random moment from the first record of its operation on. */
  async function kill(repository: string, ...args: string[]): Promise<void> {
    const log = join(lxc.store, repository, 'operations');
    const size = sizeOf(log);
    const child = start(lxc, args);
    while (child.exitCode === null && sizeOf(log) === size) await pause();
    const moment = performance.now() + random.below(LATEST_MS * 1000) / 1000;
    while (child.exitCode === null && performance.now() < moment) await pause();
    await end(child, 'SIGKILL');
    const [last = ''] = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-1);
    if (!last.includes('"end"')) interrupted.set(repository, (interrupted.get(repository) ?? 0) + 1);
  }

  /** Lets lxcv look at the history: a version that the killed process had time to make holds the tree. */
  async function expectVersions(tree: Tree): Promise<void> {
    const log = await lxc.json<LogJson>('log', 'mysql', '--all');
    const news = log.versions.filter(({ number }) => !versions.has(number));
    expect(news.length).toBeLessThan(2);
    for (const { number } of news) versions.set(number, tree);
  }
});

describe('a commit of a running container that is ended while the container stands still', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('by %s lets it go on', async (signal) => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    await lxc.commit('mysql', 'First');
    await lxc.start('mysql');
    // A file that never rests has to be copied while the container stands still.
    const write = 'dd if=/dev/zero of=/home/large bs=1M count=300 conv=notrunc';
    await lxc.attach('mysql', `${write} 2>/dev/null; while :; do ${write}; done >/dev/null 2>&1 &`);

    let child: ChildProcess;
    let tidied: { record: string; versions: number };
    do {
      child = start(lxc, ['commit', '-m', 'Cut short', 'mysql']);
      while (child.exitCode === null && (await lxc.info('mysql')).state !== 'FROZEN');
      await end(child, signal);
      tidied = { record: lastRecord(lxc), versions: readdirSync(join(lxc.store, 'mysql/versions')).length };
    } while (child.exitCode === 0);
    const { versions } = await lxc.json<LogJson>('log', 'mysql');
    await expectRunning(lxc, 'mysql');
    if (signal !== 'SIGKILL') {
      expect(child.signalCode).toBe(signal);
      expect(tidied).toEqual({ record: 'end', versions: versions.length + 1 });
    }
    expect((await lxc.json<CommitJson>('commit', '-m', 'Whole', 'mysql')).version.number).toBe(versions.length);
    await expectRunning(lxc, 'mysql');
  });
});

/** LXC's own tools look once in a second what came of a freeze. */
async function expectRunning(lxc: TestLxc, name: string): Promise<void> {
  await until(async () => (await lxc.info(name)).state, 'RUNNING');
}

function start(lxc: TestLxc, args: string[]): ChildProcess {
  const env = { PATH: process.env.PATH, HOME: join(lxc.directory, 'home') };
  return spawn(process.execPath, [LXCV, ...args, '-P', lxc.lxcpath], { stdio: 'ignore', env });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The state that the operation log ends with. */
function lastRecord(lxc: TestLxc): string {
  const [line = ''] = readFileSync(join(lxc.store, 'mysql/operations'), 'utf8').trimEnd().split('\n').slice(-1);
  return (JSON.parse(line) as { state: string }).state;
}

function addFile(lxc: TestLxc, name: string, file: string): void {
  using mount = lxc.mount(name);
  writeFileSync(join(mount.path, 'home', file), file);
}
