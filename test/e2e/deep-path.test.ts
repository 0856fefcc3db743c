import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import { machine } from '../../src/host/host.js';
import { raiseOpenFiles } from '../../src/host/open-files.js';
import type { ContainerName } from '../../src/model/version.js';
import { type LogJson, LXCV, type StatusJson, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { expectSameTree, type Tree } from '../support/tree.js';

/** A path of 4,000 bytes: as deep as one can be that the kernel takes in one call. */
const DEPTH = 2000;

it('a path of 4,000 bytes, 2,000 directories deep, is committed, stopped and running, and checked out', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  await lxc.json('commit', '-m', 'First', 'mysql');
  dig(lxc, 'mysql', 'stopped');
  expect(depthOf(lxc, 'mysql', 'stopped')).toBe(DEPTH);
  expect((await lxc.json<StatusJson>('status', 'mysql')).changes).toHaveLength(DEPTH);
  await lxc.json('commit', '-m', 'Stopped', 'mysql');
  lxc.quieten('mysql');
  dig(lxc, 'mysql', 'running');
  await lxc.start('mysql');
  await lxc.json('commit', '-m', 'Running', 'mysql');
  await lxc.stop('mysql');
  for (let number = 3; number < 9; number += 1) {
    await lxc.json('commit', '--allow-empty', '-m', 'Until there is a keyframe', 'mysql');
  }
  await lxc.json('checkout', 'mysql@8', 'new');
  expect(depthOf(lxc, 'new', 'stopped')).toBe(DEPTH);
  expect(depthOf(lxc, 'new', 'running')).toBe(DEPTH);
  expect((await lxc.json<LogJson>('log', 'new')).versions).toHaveLength(9);
  expect(await lxc.json('fsck')).toEqual({ findings: [] });
});

it('what is too deep to be counted is refused before anything is done', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  await lxc.json('commit', '-m', 'First', 'mysql');
  const path = `home${'/d'.repeat(300)}`;
  const write = (name: string) => {
    using mount = lxc.mount('mysql');
    mkdirSync(join(mount.path, path), { recursive: true });
    writeFileSync(join(mount.path, path, name), '');
    // The first change that is met does not lie deep.
    writeFileSync(join(mount.path, `home/0-${name}`), '');
  };
  write('first');
  await lxc.json('commit', '-m', 'Deep', 'mysql');
  // Overlayfs copies the directories up: now two layers have each, and a third open file is that of the version before.
  write('second');
  const before = lxc.listing();
  const commit = (files: number) =>
    lxc.program('sh', [
      ...['-c', `ulimit -n ${files}; exec "$0" "$@"`, process.execPath, LXCV],
      ...['commit', '-P', lxc.lxcpath, '-m', 'Deeper', 'mysql'],
    ]);
  const refused = await commit(500);
  const told =
    'too many files are open: lxcv may have 500, and has one or more for each level of directories that are nested';
  const raise = `Raise the limit: ${raiseOpenFiles(500)}`;
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`${told}\n      ${raise}\n`) });
  expectSameTree(lxc.listing(), before);
  expect(await commit(2000)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('2 added') });
  expect(await lxc.json('fsck')).toEqual({ findings: [] });
});

it('where a keyframe cannot be made a version does without', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  const trees: Tree[] = [];
  const write = (number: number) => {
    using mount = lxc.mount('mysql');
    writeFileSync(join(mount.path, 'home', `${number}`), `${number}`);
  };
  for (let number = 0; number < 7; number += 1) {
    write(number);
    trees.push(lxc.tree('mysql'));
    await lxc.commit('mysql', `${number}`);
  }
  const link = () => {
    throw Object.assign(new Error('EMFILE: too many open files, link'), { code: 'EMFILE' });
  };
  const engine = await openEngine({
    lxcpath: lxc.lxcpath,
    host: { ...machine, files: { ...machine.files, link } },
  });
  const container = 'mysql' as ContainerName;
  const author = { name: 'Ada', email: 'ada@example.org' };
  for (const number of [7, 8]) {
    write(number);
    trees.push(lxc.tree('mysql'));
    const { chain } = await engine.commit({ container, author, message: '', allowEmpty: false, acceptBase: false });
    expect(chain).toHaveLength(number - 5);
    expect((await lxc.json<StatusJson>('status', 'mysql')).changes).toEqual([]);
  }
  write(9);
  trees.push(lxc.tree('mysql'));
  await lxc.commit('mysql', 'With a keyframe of four layers');
  expect(await lxc.json('fsck')).toEqual({ findings: [] });
  for (const [number, tree] of trees.entries()) {
    await lxc.checkout(`mysql@${number}`, `at${number}`);
    expectSameTree(lxc.tree(`at${number}`), tree);
  }
  expect(
    lxc
      .rootfs('at9')
      .lowers.map((path) => basename(path))
      .slice(0, -2),
  ).toEqual(['keyframe-0']);
});

/** Half by half, since with what lies above it the whole path is longer than one call takes. */
function dig(lxc: TestLxc, name: string, top: string): void {
  using mount = lxc.mount(name);
  const half = (DEPTH - 1) >> 1;
  const [upper, lower] = [join(mount.path, top), join(mount.path, 'lower')];
  for (const [path, depth] of [
    [upper, half],
    [lower, DEPTH - 1 - half],
  ] as const) {
    mkdirSync(`${path}${'/d'.repeat(depth)}`, { recursive: true });
  }
  renameSync(`${lower}/d`, `${upper}${'/d'.repeat(half)}/d`);
  rmdirSync(lower);
}

function depthOf(lxc: TestLxc, name: string, top: string): number {
  using mount = lxc.mount(name);
  const found = execFileSync('find', [top, '-type', 'd'], { cwd: mount.path, encoding: 'utf8', maxBuffer: 1 << 26 });
  return found.trimEnd().split('\n').length;
}
