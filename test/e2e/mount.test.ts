import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorJson, type LogJson, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { storm } from '../support/storm.js';
import { expectSameTree, readTree, type Tree } from '../support/tree.js';

describe('a version that is mounted', () => {
  let lxc: TestLxc;
  let directory: string;
  const trees: Tree[] = [];

  beforeAll(async () => {
    lxc = temporaryLxc();
    directory = join(lxc.directory, 'a directory');
    mkdirSync(directory);
    lxc.createBase();
    await lxc.clone('base', 'mysql');
    for (const seed of [1, 2]) {
      {
        using root = lxc.mount('mysql');
        storm(root.path, { seed, steps: 80 });
      }
      trees.push(lxc.tree('mysql'));
      await lxc.commit('mysql', `storm ${seed}`);
    }
  });
  afterAll(() => lxc[Symbol.dispose]());

  it.each([0, 1])('shows exactly what @%i holds, and is gone when it is taken away', async (number) => {
    expect(await lxc.json('mount', `mysql@${number}`, directory)).toMatchObject({
      version: { number, refs: (await lxc.json<LogJson>('log', `mysql@${number}`)).versions[0]?.refs },
      directory,
    });
    try {
      expectSameTree(readTree(directory), trees[number] as Tree);
      expect(() => writeFileSync(join(directory, 'new'), '')).toThrow('EROFS');
      const options = execFileSync('findmnt', ['-n', '-o', 'OPTIONS', directory], { encoding: 'utf8' });
      expect(options).toMatch(/^ro,nosuid,nodev,/);
    } finally {
      expect((await lxc.lxcv('umount', directory)).exitCode).toBe(0);
    }
    expect(readTree(directory).size).toBe(1);
  });

  it('is mounted on no directory that holds something, or is none', async () => {
    const [full, link, file] = ['full', 'link', 'file'].map((name) => join(lxc.directory, name)) as [
      string,
      string,
      string,
    ];
    mkdirSync(join(full, 'inside'), { recursive: true });
    symlinkSync(directory, link);
    writeFileSync(file, '');
    for (const place of [full, link, file, join(lxc.directory, 'none')]) {
      expect(await failure('mount', 'mysql@0', place), place).toEqual([3, 'directory-in-use']);
    }
    expect(await failure('mount', 'mysql@WORK', directory)).toEqual([2, 'bad-revision']);
  });

  it('is all that umount takes away', async () => {
    expect(await failure('umount', directory)).toEqual([3, 'not-mounted']);
    execFileSync('mount', ['-t', 'tmpfs', 'other', directory]);
    try {
      expect(await failure('umount', directory)).toEqual([3, 'not-mounted']);
      writeFileSync(join(directory, 'kept'), 'kept');
      expect(readFileSync(join(directory, 'kept'), 'utf8')).toBe('kept');
    } finally {
      execFileSync('umount', [directory]);
    }
    expect(existsSync(join(directory, 'kept'))).toBe(false);
    chmodSync(directory, 0o755);
  });

  async function failure(...args: string[]): Promise<[number | undefined, string]> {
    const { exitCode, stdout } = await lxc.lxcv(...args, '--json');
    return [exitCode, (JSON.parse(stdout) as ErrorJson).error.code];
  }
});
