/** Whose the store is, the modes of what lxcv makes, and what becomes of a version that cannot be sealed. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import type { OpenFile } from '../../src/host/content.js';
import { type Host, machine } from '../../src/host/host.js';
import type { RepositoryName } from '../../src/model/version.js';
import { type ErrorJson, type TestLxc, temporaryLxc } from '../support/lxc.js';

const STRANGER = 12_345;
const umask = process.umask();

describe('a store', () => {
  let lxc: TestLxc;

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    await lxc.clone('base', 'web');
    await lxc.commit('web', 'first');
  });
  afterAll(() => lxc[Symbol.dispose]());
  afterEach(() => void process.umask(umask));

  it('that is a stranger’s is obeyed by no command', async () => {
    const places = [lxc.directory, lxc.lxcpath, lxc.store, join(lxc.store, 'web'), join(lxc.store, 'web/operations')];
    const engine = await openEngine({ lxcpath: lxc.lxcpath });
    for (const path of places) {
      chownSync(path, STRANGER, 0);
      for (const args of [
        ['log', 'web'],
        ['commit', 'web', '-m', 'x', '--allow-empty'],
      ]) {
        const { exitCode, stdout } = await lxc.lxcv(...args, '--json');
        const { error } = JSON.parse(stdout) as ErrorJson;
        expect({ path, exitCode, code: error.code }).toEqual({ path, exitCode: 3, code: 'unsafe-owner' });
        expect(error.hint).toMatch(new RegExp(`chown -h root: ${path}$`));
      }
      chownSync(path, 0, 0);
    }
    expect((await engine.log({ revision: 'web', all: true })).entries).toHaveLength(1);
  });

  it('is read nowhere in a directory that is a stranger’s: what was set aside, and what is to be started again', async () => {
    for (const directory of ['aside', 'restarting']) {
      const path = join(lxc.store, 'web', directory);
      mkdirSync(path, { mode: 0o700 });
      writeFileSync(join(path, directory === 'aside' ? 'abcdefghijkl' : 'web'), '{}');
      chownSync(path, STRANGER, 0);
      const { exitCode, stdout, stderr } = await lxc.lxcv('list');
      expect([directory, exitCode, stderr]).toEqual([directory, 3, expect.stringMatching(`chown -h root: ${path}\n$`)]);
      expect(stdout).not.toContain('not started');
      if (directory === 'restarting') {
        await expect(lxc.commit('web', 'x')).rejects.toMatchObject({ code: 'unsafe-owner' });
        expect((await lxc.info('web')).state).toBe('STOPPED');
      }
      rmSync(path, { recursive: true });
    }
  });

  it('runs no hook that others can write to', async () => {
    const [hooks, ran] = [join(lxc.store, 'web/hooks'), join(lxc.directory, 'ran')];
    mkdirSync(hooks);
    const hook = join(hooks, 'pre-commit');
    writeFileSync(hook, `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
    for (const path of [hooks, hook]) {
      chmodSync(path, 0o777);
      await expect(lxc.commit('web', 'refused')).rejects.toMatchObject({ code: 'unsafe-owner' });
      chmodSync(path, 0o755);
    }
    expect(existsSync(ran)).toBe(false);
    await expect(lxc.commit('web', 'nothing')).rejects.toMatchObject({ code: 'nothing-to-commit' });
    expect(existsSync(ran)).toBe(true);
    rmSync(hooks, { recursive: true });
  });

  it('runs no hook whose interpreter others can write to, be it that of its interpreter', async () => {
    const [hooks, ran] = [join(lxc.store, 'web/hooks'), join(lxc.directory, 'ran-by')];
    const [shell, outer] = [join(lxc.directory, 'mysh'), join(lxc.directory, 'outer')];
    mkdirSync(hooks);
    writeFileSync(shell, `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
    writeFileSync(outer, `#!${shell}\n`, { mode: 0o755 });
    for (const interpreter of [shell, outer]) {
      writeFileSync(join(hooks, 'pre-commit'), `#! ${interpreter} -x\n`, { mode: 0o755 });
      chownSync(shell, STRANGER, 0);
      await expect(lxc.commit('web', 'refused')).rejects.toMatchObject({
        code: 'unsafe-owner',
        message: expect.stringContaining(shell) as unknown,
      });
      expect(existsSync(ran)).toBe(false);
      chownSync(shell, 0, 0);
    }
    await expect(lxc.commit('web', 'nothing')).rejects.toMatchObject({ code: 'nothing-to-commit' });
    expect(existsSync(ran)).toBe(true);
    rmSync(hooks, { recursive: true });
  });

  it('refuses a commit where something else is in the place of a hook, or of all hooks', async () => {
    const hooks = join(lxc.store, 'web/hooks');
    const hook = join(hooks, 'pre-commit');
    const [fifo, directory, link] = [
      (path: string) => execFileSync('mkfifo', [path]),
      (path: string) => mkdirSync(path),
      (path: string) => symlinkSync('nowhere', path),
    ];
    mkdirSync(hooks);
    for (const [path, make, is] of [
      [hook, fifo, 'a FIFO'],
      [hook, directory, 'a directory'],
      [hook, link, 'a symbolic link to nothing'],
      [hooks, fifo, 'a FIFO'],
      [hooks, link, 'a symbolic link to nothing'],
    ] as const) {
      rmSync(path, { recursive: true, force: true });
      make(path);
      await expect(lxc.commit('web', 'refused')).rejects.toMatchObject({
        code: 'hook-refused',
        message: expect.stringContaining(`${path} is ${is}, and must be a`) as unknown,
        hint: `Move it away: ${path}`,
      });
    }
    rmSync(hooks);
    mkdirSync(join(hooks, 'post-commit'), { recursive: true });
    const { exitCode, stderr } = await lxc.lxcv('commit', '-m', 'empty', '--allow-empty', 'web');
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('the hook post-commit cannot be run: ')]);
    rmSync(hooks, { recursive: true });
  });

  it('is refused to a commit where the config of the container is a stranger’s', async () => {
    const config = join(lxc.lxcpath, 'web/config');
    chownSync(config, STRANGER, 0);
    await expect(lxc.commit('web', 'refused')).rejects.toMatchObject({ code: 'unsafe-owner' });
    chownSync(config, 0, 0);
  });

  it.each([0o000, 0o077, 0o777])('has the same modes whatever the umask is: %o', async (mask) => {
    const name = `u${mask}`;
    await lxc.clone('base', name);
    process.umask(mask);
    await lxc.commit(name, 'first');
    await lxc.checkout(`${name}@0`, `${name}-new`);
    process.umask(umask);
    const modes = new Set(
      readdirSync(join(lxc.store, name), { recursive: true, encoding: 'utf8' })
        .filter((path) => !/\/delta(\/|$)/.test(path))
        .map((path) => {
          const stat = lstatSync(join(lxc.store, name, path));
          const kind = stat.isDirectory() ? 'directory' : /manifest\.json$|\/work$/.test(path) ? 'closed' : 'file';
          return `${kind} ${(stat.mode & 0o7777).toString(8)}`;
        }),
    );
    expect([...modes].sort()).toEqual(['closed 400', 'directory 700', 'file 600']);
    const made = join(lxc.lxcpath, `${name}-new`);
    expect([made, join(made, 'config')].map((path) => (lstatSync(path).mode & 0o7777).toString(8))).toEqual([
      '770',
      '640',
    ]);
  });

  it('tells of a version that cannot be sealed, names the file, and seals the others', async () => {
    const engine = await openEngine({ lxcpath: lxc.lxcpath });
    const numbers: number[] = [];
    for (const version of ['bad', 'good']) {
      {
        using root = lxc.mount('web');
        writeFileSync(join(root.path, `etc/${version}`), `of the ${version} version`);
      }
      numbers.push((await lxc.commit('web', version)).number);
    }
    const [bad = -1] = numbers;
    const notices: string[] = [];
    const failing = await openEngine({
      lxcpath: lxc.lxcpath,
      host: withBadSector(`of the bad version`.length),
      report: (event) => void (event.kind === 'notice' && notices.push(event.message)),
    });
    await failing.seal('web' as RepositoryName);
    expect(notices).toEqual([`@${bad} is not sealed: EIO: i/o error, read, in /etc/bad`]);
    const sealed = async () =>
      Promise.all([0, ...numbers].map(async (number) => (await engine.showVersion(`web@${number}`)).sealed));
    expect(await sealed()).toEqual([true, false, true]);
    await engine.seal('web' as RepositoryName);
    expect(await sealed()).toEqual([true, true, true]);
  });
});

/** A machine that cannot read files of one size. */
function withBadSector(size: number): Host {
  const openFile: Host['files']['openFile'] = (path) => {
    const file = machine.files.openFile(path);
    if (file.size !== size) return file;
    const read: OpenFile['read'] = () => {
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
    };
    const { descriptor, hasHole } = file;
    return { descriptor, size, hasHole, read, [Symbol.dispose]: () => file[Symbol.dispose]() };
  };
  return { ...machine, files: { ...machine.files, openFile } };
}
