import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type BranchJson,
  type CheckoutJson,
  type CommitJson,
  type ListJson,
  type LogJson,
  LXCV,
  type TestLxc,
  temporaryLxc,
  type VersionJson,
} from '../support/lxc.js';
import { type Ended, race } from '../support/race.js';
import { expectSameTree, type Tree } from '../support/tree.js';

const ROUNDS = 2;
const POLL_MS = 5;

/** What the versions of a repository have to hold, by id. */
type Trees = Map<string, Tree>;

describe('many lxcv at once on one repository', () => {
  it('each do what they were asked for, or say why not; every version is what its container held', async () => {
    using lxc = temporaryLxc();
    const trees = await manyContainers(lxc);
    const [zero] = trees.keys();
    for (let round = 0; round < ROUNDS; round += 1) await runRound(lxc, round, zero as string, trees);
    await lxc.stop('busy');

    const { versions } = await lxc.json<LogJson>('log', 'mysql', '--all');
    expect(versions.map(({ id }) => id).sort()).toEqual([...trees.keys()].sort());
    expect(versions.map(({ number }) => number)).toEqual(versions.map((_, index) => versions.length - 1 - index));
    expectTree(versions);
    for (const { id, number } of versions) {
      await lxc.checkout(`mysql@${number}`, `last-${number}`);
      expectSameTree(lxc.tree(`last-${number}`), trees.get(id) as Tree);
    }
    const { branches } = await lxc.json<BranchJson>('branch', 'mysql');
    const names = branches.map(({ name }) => name).filter((name) => /^(made|before|after|doomed)-/.test(name));
    expect(names).toEqual(['after-0', 'after-1', 'made-0', 'made-1']);
    expect((await race(lxc, 'fsck')).json).toEqual({ findings: [] });
    const made = [...versions.map((_, number) => `last-${number}`), 'new-0', 'new-1'];
    expect(readdirSync(lxc.lxcpath).sort()).toEqual(['base', 'busy', 'left', 'mysql', ...made].sort());
  });
});

describe('several first commits of one container at once', () => {
  it('make one version, whether it is on an overlay or on a directory', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'overlay');
    lxc.createBase('plain');
    const names = ['overlay', 'plain'];
    const trees = new Map(names.map((name) => [name, before(lxc, name)]));
    // The store itself is made meanwhile too.
    const ends = await Promise.all(names.flatMap((name) => [1, 2].map(() => race(lxc, 'commit', '-m', 'x', name))));
    for (const name of names) {
      const codes = ends.filter(({ args }) => args.endsWith(` ${name}`)).map(({ code }) => code);
      expect(
        codes.filter((code) => code === 'done'),
        `${codes}`,
      ).toHaveLength(1);
      expectOnly(codes, ['done', 'nothing-to-commit', 'repository-locked', 'container-in-use']);
      expectSameTree(lxc.tree(name), trees.get(name) as Tree);
      expect((await lxc.json<LogJson>('log', name, '--all')).versions).toHaveLength(1);
      await lxc.checkout(name, `${name}-again`);
      expectSameTree(lxc.tree(`${name}-again`), trees.get(name) as Tree);
      await lxc.start(name);
      await lxc.stop(name);
    }
    expect((await race(lxc, 'fsck')).json).toEqual({ findings: [] });
  });
});

describe('containers on one base', () => {
  it('are all listed as its clones, though each enters itself in the same moment', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    const names = Array.from({ length: 6 }, (_, index) => `repository-${index}`);
    for (const name of names) await lxc.clone('base', name);
    const clones = ['clone-0', 'clone-1', 'clone-2'];
    const ends = await Promise.all([
      ...names.map((name) => race(lxc, 'commit', '-m', 'x', name)),
      ...clones.map((name) => lxc.clone('base', name)),
    ]);
    expect(ends.slice(0, names.length).map((end) => (end as Ended).code)).toEqual(names.map(() => 'done'));
    const lines = readFileSync(join(lxc.lxcpath, 'base/lxc_snapshots'), 'utf8').trimEnd().split('\n');
    const listed = lines.flatMap((line, index) => (index % 2 === 0 ? [`${line} ${lines[index + 1]}`] : []));
    const expected = [...names, ...clones].map((name) => `${lxc.lxcpath} ${name}`);
    expect(listed.sort()).toEqual([...expected, ...names.map((name) => `${lxc.store} ${name}`)].sort());
    expect((await race(lxc, 'fsck')).json).toEqual({ findings: [] });
  });
});

describe('a lock whose holder was killed', () => {
  it('is free, even while a program that the holder started goes on', async () => {
    using lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    lxc.quieten('mysql');
    await lxc.commit('mysql', 'First');
    await lxc.start('mysql');
    await lxc.attach('mysql', 'echo work >/home/work');
    const [hooks, told] = [join(lxc.store, 'mysql/hooks'), join(lxc.directory, 'told')];
    mkdirSync(hooks);
    // It runs under the lock, and outlives lxcv.
    writeFileSync(join(hooks, 'pre-freeze'), `#!/bin/sh\necho $$ >${told}-\nmv ${told}- ${told}\nexec sleep 1000\n`);
    chmodSync(join(hooks, 'pre-freeze'), 0o755);

    const env = { PATH: process.env.PATH, HOME: join(lxc.directory, 'home') };
    const args = [LXCV, 'commit', '-m', 'x', '-P', lxc.lxcpath, 'mysql'];
    const holder = spawn(process.execPath, args, { stdio: 'ignore', env });
    while (!existsSync(told) && holder.exitCode === null) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const hook = Number(readFileSync(told, 'utf8'));
    expect(readFileSync(join(lxc.store, 'mysql/lock'), 'utf8')).toContain(`${holder.pid}`);
    const exit = once(holder, 'exit');
    holder.kill('SIGKILL');
    await exit;
    rmSync(join(hooks, 'pre-freeze'));
    try {
      const next = await Promise.all([
        race(lxc, 'branch', 'mysql', 'free'),
        race(lxc, 'commit', '-m', 'Next', 'mysql'),
        race(lxc, 'log', 'mysql'),
      ]);
      expect(next.map(({ code }) => code)).toEqual(['done', 'done', 'done']);
      expect(() => process.kill(hook, 0)).not.toThrow();
    } finally {
      process.kill(hook, 'SIGKILL');
    }
    expect((await lxc.json<LogJson>('log', 'mysql')).versions.map(({ message }) => message)).toEqual(['Next', 'First']);
    expect((await race(lxc, 'fsck')).json).toEqual({ findings: [] });
  });
});

/** Three containers of one repository, one of which runs, and the version 0 that they all stand on. */
async function manyContainers(lxc: TestLxc): Promise<Trees> {
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  lxc.quieten('mysql');
  const tree = before(lxc, 'mysql');
  const { id } = await lxc.commit('mysql', 'First');
  for (const name of ['left', 'busy']) await lxc.checkout('mysql@0', name);
  for (const name of ['before-0', 'before-1', 'doomed-0', 'doomed-1']) await lxc.json('branch', 'mysql', name);
  await lxc.start('busy');
  return new Map([[id, tree]]);
}

/** Writes what only this container has in this round, and tells what it holds then. */
function before(lxc: TestLxc, name: string, file = name): Tree {
  {
    using mount = lxc.mount(name);
    writeFileSync(join(mount.path, 'home', file), `${name} ${file}\n`);
  }
  return lxc.tree(name);
}

/** Starts many lxcv at the same time, and compares all that they tell, and all that is there in the end. */
async function runRound(lxc: TestLxc, round: number, zero: string, trees: Trees): Promise<void> {
  const held = new Map(['mysql', 'left'].map((name) => [name, before(lxc, name, `${name}-${round}`)]));
  await lxc.attach('busy', `echo busy >/home/busy-${round}`);
  held.set('busy', lxc.tree('busy'));
  const heads = await headsOf(lxc);

  const writers = ['mysql', 'mysql', 'left', 'busy'].map((name) => ['commit', '-m', `${round}`, name]);
  const switches = ['mysql', 'left', 'busy'].map((name) => ['checkout', `${name}@0`]);
  const makers = [['checkout', 'left', `new-${round}`]];
  const branchers = [
    ['branch', 'busy', `made-${round}`],
    ['branch', 'left', '-m', `before-${round}`, `after-${round}`],
    ['branch', 'mysql', '-D', `doomed-${round}`],
  ];
  const readers = [['log', '--all', 'mysql'], ['list'], ['status', 'mysql'], ['fsck']];
  const all = [...writers, ...readers, ...switches, ...branchers, ...makers, ...branchers.slice(0, 1)];
  const ends = await Promise.all(all.map((args) => race(lxc, ...args)));
  const of = (asked: string[][]) => ends.filter(({ args }) => asked.some((words) => words.join(' ') === args));
  const codes = (asked: string[][]) => of(asked).map(({ code }) => code);

  expectOnly(codes(readers), ['done']);
  for (const { json } of of([['log', '--all', 'mysql']])) expectTree((json as LogJson).versions);
  expectOnly(codes(writers), ['done', 'nothing-to-commit', 'repository-locked']);
  expectOnly(codes(switches.slice(0, 2)), ['done', 'repository-locked']);
  expectOnly(codes(switches.slice(2)), ['container-running', 'repository-locked']);
  expectOnly(codes(makers), ['done', 'repository-locked']);
  for (const asked of branchers) {
    expectOnly(codes([asked]), ['done', 'branch-exists', 'branch-not-found', 'repository-locked']);
    expect(codes([asked]).filter((code) => code === 'done')).toHaveLength(1);
  }

  const after = await headsOf(lxc);
  for (const [name, tree] of held) {
    const reported = of([...writers, ...switches]).filter(
      ({ args }) => args.endsWith(` ${name}`) || args.endsWith(` ${name}@0`),
    );
    const versions = reported.flatMap(versionMade);
    // Whoever came first kept what the container held, and nothing was left for the others.
    expect(versions, JSON.stringify(reported)).toHaveLength(1);
    const [version] = versions as [VersionJson];
    expect(version.parents).toEqual([heads.get(name)]);
    trees.set(version.id, tree);
    expect([version.id, zero]).toContain(after.get(name));
    expectSameTree(lxc.tree(name), trees.get(after.get(name) as string) as Tree);
  }
  for (const { code, args, json } of of(makers)) {
    const name = args.split(' ').at(-1) as string;
    expect(existsSync(join(lxc.lxcpath, name))).toBe(code === 'done');
    if (code === 'done') expectSameTree(lxc.tree(name), trees.get((json as CheckoutJson).version.id) as Tree);
  }
}

async function headsOf(lxc: TestLxc): Promise<Map<string, string | undefined>> {
  const { containers } = await lxc.json<ListJson>('list');
  return new Map(containers.map(({ name, version }) => [name, version?.id]));
}

/** The version that a process reported to have made of what a container held. */
function versionMade({ code, args, json }: Ended): VersionJson[] {
  if (code !== 'done') return [];
  if (args.startsWith('commit')) return [(json as CommitJson).version];
  const { saved } = json as CheckoutJson;
  return saved === undefined ? [] : [saved];
}

/** Every version but the first has one parent, which is older and among them. */
function expectTree(versions: readonly VersionJson[]): void {
  const numbers = new Map(versions.map(({ id, number }) => [id, number]));
  expect(new Set(numbers.values()).size).toBe(versions.length);
  for (const { number, parents } of versions) {
    expect(parents).toHaveLength(number === 0 ? 0 : 1);
    for (const parent of parents) expect(numbers.get(parent)).toBeLessThan(number);
  }
}

function expectOnly(codes: readonly string[], allowed: readonly string[]): void {
  expect(codes.filter((code) => !allowed.includes(code))).toEqual([]);
}
