import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import { machine } from '../../src/host/host.js';
import { parseContainerName } from '../../src/model/names.js';
import {
  type BranchJson,
  type ErrorJson,
  type LogJson,
  mountString,
  type TestLxc,
  temporaryLxc,
} from '../support/lxc.js';
import { fillDelta, lengthenHistory, measure } from '../support/many.js';
import { temporaryDirectory } from '../support/overlay.js';
import { compareTrees, expectSameTree } from '../support/tree.js';

/** LXC does not read a config with a longer host name, and gives a container its name as that. */
const NEW_NAME_MAX = 64;
/** LXC locks `.NAME`. A container gets so long a name only by hand, with another host name. */
const NAME_MAX = 254;
/** What a command may need for a history or a delta of the size that is tried here. */
const PEAK_MIB_MAX = 250;

describe('a name of the longest length', () => {
  it('that lxc-create takes goes through all that lxcv does, and one that is longer is refused', async () => {
    using lxc = temporaryLxc();
    const [name, other] = ['n'.repeat(NEW_NAME_MAX), 'o'.repeat(NEW_NAME_MAX)];
    lxc.createBase();
    await lxc.clone('base', name);
    await useName(lxc, name, other);
    expect((await lxc.tool('lxc-copy', '-n', 'base', '-N', `${name}n`)).exitCode).not.toBe(0);
    await expectRefused(lxc, 'bad-name', 'checkout', `${name}@0`, `${name}n`);
  });

  it('that LXC can start goes through all that lxcv does, and one that is longer is refused', async () => {
    using lxc = temporaryLxc();
    const name = 'n'.repeat(NAME_MAX);
    for (const long of [name, `${name}n`]) {
      lxc.createBase();
      lxc.editConfig('base', (text) => text.replaceAll('/base/', `/${long}/`).replace(/(uts.name).*/, '$1 = short'));
      renameSync(join(lxc.lxcpath, 'base'), join(lxc.lxcpath, long));
    }
    await useName(lxc, name, 'o'.repeat(NEW_NAME_MAX));
    expect((await lxc.tool('lxc-start', '-n', `${name}n`)).exitCode).not.toBe(0);
    await expectRefused(lxc, 'bad-name', 'commit', '-m', 'x', `${name}n`);
  });
});

describe('a long lxcpath', () => {
  it('leaves room for few layers, and chains are kept so short that they fit', async () => {
    using directory = temporaryDirectory();
    using lxc = temporaryLxc(longDirectory(directory.path, 450));
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    for (let number = 0; number < 12; number += 1) {
      addFile(lxc, 'mysql', `file${number}`);
      await lxc.commit('mysql', `Version ${number}`);
      expect(Buffer.byteLength(mountString(lxc.rootfs('mysql')))).toBeLessThan(4000);
    }
    await lxc.start('mysql');
    await lxc.attach('mysql', 'touch /live');
    await lxc.commit('mysql', 'Running');
    await lxc.stop('mysql');
    await lxc.checkout('mysql@12', 'n'.repeat(NEW_NAME_MAX));
    expectSameTree(lxc.tree('n'.repeat(NEW_NAME_MAX)), await treeOf(lxc, 'mysql@12'));
    await lxc.start('n'.repeat(NEW_NAME_MAX));
    expect(await lxc.json('fsck')).toEqual({ findings: [] });
  });

  it('is refused before anything is made where not even that would fit', async () => {
    using directory = temporaryDirectory();
    using lxc = temporaryLxc(longDirectory(directory.path, 900));
    lxc.createBase();
    await expectRefused(lxc, 'too-long', 'commit', '-m', 'x', 'base');
  });
});

it('a clock that runs backwards makes versions in the order of their making, at the times that it said', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  let hour = 20;
  const host = { ...machine, now: () => new Date(Date.UTC(2026, 0, 2, hour)) };
  const engine = await openEngine({ lxcpath: lxc.lxcpath, host });
  const container = parseContainerName('mysql');
  const commit = (message: string) => engine.commit({ container, message, allowEmpty: false, acceptBase: false });
  for (; hour > 16; hour -= 1) {
    addFile(lxc, 'mysql', `file${hour}`);
    await commit(`stopped at ${hour}`);
  }
  lxc.quieten('mysql');
  await lxc.start('mysql');
  for (; hour > 12; hour -= 1) {
    await lxc.attach('mysql', `echo ${hour} > /count; touch /file${hour}`);
    await commit(`running at ${hour}`);
  }
  const { versions } = await lxc.json<LogJson>('log', 'mysql');
  expect(versions.map(({ number, message, time }) => `@${number} ${message}, ${time}`)).toEqual(
    [13, 14, 15, 16, 17, 18, 19, 20].map(
      (at, index) => `@${7 - index} ${at > 16 ? 'stopped' : 'running'} at ${at}, 2026-01-02T${at}:00:00.000Z`,
    ),
  );
  expectSameTree(await treeOf(lxc, 'mysql@7'), lxc.tree('mysql'));
  expect(await lxc.json('fsck')).toEqual({ findings: [] });
});

it('a history of a thousand versions is listed, continued, branched and checked', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  await lxc.commit('mysql', 'First');
  lengthenHistory(lxc, 1000);
  const run = (command: string, ...args: string[]) => {
    const { exitCode, stdout, stderr, peakMib } = measure(lxc, command, ...args);
    expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 0, stderr: '' });
    expect(peakMib).toBeLessThan(PEAK_MIB_MAX);
    return stdout;
  };
  run('checkout', 'mysql@mysql');
  const numbers = (JSON.parse(run('log', 'mysql', '--json')) as LogJson).versions.map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: 1000 }, (_, index) => 999 - index));
  expect(run('log', 'mysql', '-n', '20').trimEnd().split('\n')).toHaveLength(21);
  run('commit', 'mysql', '--allow-empty', '-m', 'One more');
  run('branch', 'mysql', 'older', 'mysql@77');
  run('checkout', 'mysql@500', 'new');
  const mounted = lxc.mount('new');
  expect(readFileSync(join(mounted.path, 'count'), 'utf8')).toBe('500');
  mounted[Symbol.dispose]();
  expect(run('status', 'mysql')).toMatch(/Nothing changed since @1000/);
  expect(run('list')).toMatch(/^mysql .*@1000 .*clean/m);
  expect(JSON.parse(run('fsck', '--json'))).toEqual({ findings: [] });
});

it('a delta of ten thousand files is committed and checked out, of a container that is stopped and one that runs', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  await lxc.commit('mysql', 'First');
  fillDelta(lxc.rootfs('mysql').upper, 10);
  const added = { added: 10_011, modified: 0, removed: 0, bytes: 11_000 };
  const commit = () => {
    const { exitCode, stdout, stderr, peakMib } = measure(lxc, 'commit', 'mysql', '-m', 'Many', '--json');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(peakMib).toBeLessThan(PEAK_MIB_MAX);
    expect(JSON.parse(stdout)).toMatchObject({ version: { changes: added } });
  };
  const { stdout } = measure(lxc, 'status', 'mysql', '--json');
  expect(JSON.parse(stdout).changes).toHaveLength(10_011);
  commit();
  await lxc.json('checkout', 'mysql@0');
  lxc.quieten('mysql');
  fillDelta(lxc.rootfs('mysql').upper, 10);
  await lxc.start('mysql');
  commit();
  const trees = [await treeOf(lxc, 'mysql@1'), await treeOf(lxc, 'mysql@2')] as const;
  expect([...trees[1].keys()]).toEqual([...trees[0].keys()]);
});

/** Commits, stopped and running, branches, and makes another container. */
async function useName(lxc: TestLxc, name: string, other: string): Promise<void> {
  addFile(lxc, name, 'stopped');
  await lxc.json('commit', '-m', 'Stopped', name);
  await lxc.json('commit', '-m', 'Empty', '--allow-empty', name);
  await lxc.start(name);
  await lxc.attach(name, 'touch /running');
  await lxc.json('commit', '-m', 'Running', name);
  await lxc.stop(name);
  await lxc.json('checkout', `${name}@0`, '--detach');
  addFile(lxc, name, 'detached');
  await lxc.json('commit', '-m', 'On a branch of its own', name);
  await lxc.json('checkout', `${name}@2`, other);
  await lxc.start(other);
  expect(await lxc.attach(other, 'ls /stopped /running; hostname')).toBe(`/running\n/stopped\n${other}\n`);
  expect((await lxc.json<LogJson>('log', name, '--all')).versions).toHaveLength(4);
  await lxc.json('branch', name, 'b'.repeat(255), `${name}@1`);
  expect((await lxc.json<BranchJson>('branch', name)).branches).toHaveLength(4);
  expect(await lxc.json('fsck')).toEqual({ findings: [] });
}

async function expectRefused(lxc: TestLxc, code: string, ...args: string[]): Promise<void> {
  const before = lxc.listing();
  const { exitCode, stdout, stderr } = await lxc.lxcv(...args, '--json');
  const error = { code, message: expect.stringMatching(/^[^\n]+$/), hint: expect.stringMatching(/^[^\n]+$/) };
  expect({ stderr, told: JSON.parse(stdout) as ErrorJson }).toEqual({ stderr: '', told: { error } });
  expect(exitCode).toBeGreaterThan(0);
  expect(compareTrees(lxc.listing(), before)).toEqual([]);
}

function addFile(lxc: TestLxc, name: string, file: string): void {
  using mount = lxc.mount(name);
  writeFileSync(join(mount.path, file), file);
}

let containers = 0;

async function treeOf(lxc: TestLxc, revision: string) {
  containers += 1;
  await lxc.checkout(revision, `tree${containers}`);
  return lxc.tree(`tree${containers}`);
}

/** A directory below another whose path has so many bytes. */
function longDirectory(root: string, bytes: number): string {
  let path = root;
  while (path.length < bytes) path = join(path, 'd'.repeat(Math.min(100, Math.max(1, bytes - path.length - 1))));
  mkdirSync(path, { recursive: true });
  return path;
}
