import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { type LogJson, mountString, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { expectSameTree, type Tree } from '../support/tree.js';

const COMMITS = 300;
/** For how many versions most files live: longer than what one keyframe stands for. */
const LIFETIME = 11;
/** LXC hands the kernel one page of mount options, of which it cuts off what is too much. */
const MOUNT_STRING_MAX = 3500;

it('mounts and boots a container after 300 commits in a row, and makes any of them again', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  const numbers = Array.from({ length: COMMITS }, (_, number) => number);
  const sampled = new Map<number, Tree>();
  for (const number of numbers) {
    change(lxc, number);
    if (number % 25 === 24 || number === 1) sampled.set(number, lxc.tree('mysql'));
    expect((await lxc.commit('mysql', `Version ${number}`)).number).toBe(number);
    expect(Buffer.byteLength(mountString(lxc.rootfs('mysql')))).toBeLessThan(MOUNT_STRING_MAX);
  }

  await lxc.start('mysql');
  expect(await lxc.attach('mysql', 'cat /root/log')).toBe(numbers.map((number) => `line ${number}\n`).join(''));
  const left = numbers.filter((number) => number >= COMMITS - LIFETIME || !isRemoved(number));
  expect(await lxc.attach('mysql', 'ls /root/files | sort -n')).toBe(left.map((number) => `${number}\n`).join(''));

  const { versions } = await lxc.json<LogJson>('log', 'mysql');
  expect(versions.map(({ message }) => message)).toEqual(numbers.map((number) => `Version ${number}`).reverse());
  for (const [number, tree] of sampled) {
    await lxc.json('checkout', `mysql@${number}`, `at${number}`);
    expectSameTree(lxc.tree(`at${number}`), tree);
    expect(Buffer.byteLength(mountString(lxc.rootfs(`at${number}`)))).toBeLessThan(MOUNT_STRING_MAX);
  }
  expect(sampled.size).toBe(13);
  await lxc.start('at24');
  expect(await lxc.attach('at24', 'tail -n 1 /root/log')).toBe('line 24\n');
});

it('mounts a keyframe from the commit on that follows the one it was made with, and reads it at once', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  const layers: number[] = [];
  for (let number = 0; number < 9; number += 1) {
    change(lxc, number);
    await lxc.commit('mysql', `Version ${number}`);
    // The base and the guard are under them.
    layers.push(lxc.rootfs('mysql').lowers.length - 2);
    expect((await lxc.json<{ changes: unknown[] }>('status', 'mysql')).changes).toEqual([]);
  }
  expect(layers).toEqual([1, ...Array(8).fill(2)]);
  const chains = [0, 8].map(async (number) => {
    await lxc.checkout(`mysql@${number}`, `at${number}`);
    return lxc.rootfs(`at${number}`).lowers.map((path) => basename(path));
  });
  const [first, ninth] = await Promise.all(chains);
  expect(first?.slice(0, -2)).toEqual(['delta']);
  expect(ninth?.slice(0, -2)).toEqual(['keyframe-0']);
  change(lxc, 9);
  const tree = lxc.tree('mysql');
  await lxc.commit('mysql', 'On the keyframe');
  await lxc.checkout('mysql', 'again');
  expectSameTree(lxc.tree('again'), tree);
});

it('shortens a chain in time where paths are so long that few layers fit', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'd'.repeat(150));
  const name = 'n'.repeat(60);
  using lxc = temporaryLxc(path);
  lxc.createBase();
  await lxc.clone('base', name);
  const trees: Tree[] = [];
  for (let number = 0; number < 20; number += 1) {
    change(lxc, number, name);
    trees.push(lxc.tree(name));
    await lxc.commit(name, `Version ${number}`);
    expect(Buffer.byteLength(mountString(lxc.rootfs(name)))).toBeLessThan(MOUNT_STRING_MAX);
  }
  await lxc.start(name);
  expect((await lxc.attach(name, 'cat /root/log')).split('\n')).toHaveLength(21);
  for (const [number, tree] of trees.entries()) {
    await lxc.checkout(`${name}@${number}`, `at${number}`);
    expectSameTree(lxc.tree(`at${number}`), tree);
  }
});

/** Adds a line and a file, and removes six files of seven some versions later. */
function change(lxc: TestLxc, number: number, name = 'mysql'): void {
  using mount = lxc.mount(name);
  const root = join(mount.path, 'root');
  appendFileSync(join(root, 'log'), `line ${number}\n`);
  mkdirSync(join(root, 'files'), { recursive: true });
  writeFileSync(join(root, 'files', String(number)), `file ${number}`);
  if (isRemoved(number - LIFETIME)) rmSync(join(root, 'files', String(number - LIFETIME)));
}

function isRemoved(number: number): boolean {
  return number >= 0 && number % 7 !== 6;
}
