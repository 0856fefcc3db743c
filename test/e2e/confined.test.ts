/** What is wrong with one repository, container, ref or record harms no other: it is told, and gone around. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import type { ContainerName } from '../../src/model/version.js';
import { type ErrorJson, type ListJson, type TestLxc, temporaryLxc } from '../support/lxc.js';

interface Troubles extends ListJson {
  readonly errors: readonly (ErrorJson & { readonly repository: string; readonly container: string | null })[];
}

/** What can stand in the place of a file of the store. */
const THINGS: readonly (readonly [what: string, make: (path: string) => void])[] = [
  ['a directory', (path) => mkdirSync(path)],
  ['a FIFO', (path) => execFileSync('mkfifo', [path])],
  ['a symbolic link', (path) => symlinkSync('nowhere', path)],
  ['text', (path) => writeFileSync(path, 'garbage')],
];

describe('what is wrong with one of many', () => {
  let lxc: TestLxc;
  let first: string;

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    for (const name of ['bad', 'good']) {
      await lxc.clone('base', name);
      await lxc.commit(name, 'first');
      using root = lxc.mount(name);
      writeFileSync(join(root.path, 'etc/one'), '');
    }
    first = (await lxc.commit('bad', 'second')).id;
    await lxc.checkout('bad@0', 'fork');
    await lxc.json('branch', 'bad', 'old', 'bad@0');
    await lxc.json('tag', 'bad', 'v1', 'bad@0');
  });
  afterAll(() => lxc[Symbol.dispose]());

  /** Puts each thing in the place of a file, and acts. */
  async function withEach(path: string, act: (what: string) => Promise<void>): Promise<void> {
    for (const [what, make] of THINGS) {
      renameSync(path, `${lxc.directory}/saved`);
      try {
        make(path);
        await act(what);
      } catch (error) {
        if (error instanceof Error) error.message = `${what} as ${path}: ${error.message}`;
        throw error;
      } finally {
        rmSync(path, { recursive: true });
        renameSync(`${lxc.directory}/saved`, path);
      }
    }
  }

  const repository = (path: string) => join(lxc.store, 'bad', path);
  const engine = () => openEngine({ lxcpath: lxc.lxcpath });

  it('is told by list, status --all and fsck, which go on: a record, an operation log', async () => {
    const working = join(lxc.rootfs('fork').upper, '../working.json');
    for (const [path, names] of [
      [working, ['bad', 'good']],
      [repository('operations'), ['good']],
    ] as const) {
      await withEach(path, async (what) => {
        // A line of the log that is no JSON counts as cut short.
        if (path !== working && what === 'text') return;
        const { containers, troubles } = await (await engine()).list();
        expect(containers.map(({ name }) => name)).toEqual(names);
        expect(troubles).toMatchObject([{ repository: 'bad', error: { code: 'store-damaged' } }]);
        expect(troubles[0]?.error.message).toContain(path);
        const all = await (await engine()).statusOfAll();
        expect(all.containers.map(({ container }) => container)).toEqual(names);
        expect(all.troubles).toHaveLength(1);
        expect((await (await engine()).fsck(undefined)).map(({ message }) => message)).toEqual([
          expect.stringContaining(path),
        ]);
      });
    }
  });

  it('is told so where a repository is something else, or gone', async () => {
    const look = async () => {
      const { containers, troubles } = await (await engine()).list();
      const all = await (await engine()).statusOfAll();
      expect([containers.map(({ name }) => name), all.containers.map(({ container }) => container)]).toEqual([
        ['good'],
        ['good'],
      ]);
      const told = troubles.map(({ repository: name, container, error }) => [name, container, error.message]);
      expect(all.troubles.map(({ error }) => error.message)).toEqual(told.map(([, , message]) => message));
      const findings = await (await engine()).fsck(undefined);
      expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(['repository-unreadable']));
      expect(findings.map(({ message }) => message)).toEqual(told.map(([, , message]) => message));
      return told;
    };
    const path = join(lxc.store, 'bad');
    const gone = (of: string) => ['bad', 'fork'].map((name) => ['bad', name, expect.stringContaining(`${of} is gone`)]);
    await withEach(path, async (what) => {
      const kind = what === 'text' ? 'a file' : what;
      const told = [['bad', null, `${path} is ${kind}, and no repository`]];
      expect(await look()).toEqual(what === 'a directory' ? gone(`${path}/versions`) : told);
      if (what !== 'a directory')
        expect((await lxc.lxcv('list')).stderr).toContain(`no repository\n      Move it away.\n`);
    });
    renameSync(path, `${lxc.directory}/saved`);
    expect(await look()).toEqual(gone(path));
    expect(await lxc.lxcv('list')).toMatchObject({ exitCode: 5, stderr: expect.stringContaining(`${path} is gone`) });
    renameSync(`${lxc.directory}/saved`, path);
  });

  it('is in the exit code and the JSON', async () => {
    const path = repository('operations');
    renameSync(path, `${path}.away`);
    mkdirSync(path);
    try {
      const text = await lxc.lxcv('list');
      expect(text).toMatchObject({
        exitCode: 5,
        stderr: expect.stringMatching(/^lxcv: \S+\/operations is a directory.*\n {6}\S/),
      });
      expect(text.stdout).toMatch(/^good /m);
      const told = await lxc.lxcv('list', '--json');
      expect(told.exitCode).toBe(5);
      expect(JSON.parse(told.stdout) as Troubles).toMatchObject({
        containers: [{ name: 'good' }],
        errors: [{ repository: 'bad', container: null, error: { code: 'store-damaged' } }],
      });
      const all = await lxc.lxcv('status', '--all', '--json');
      expect(all.exitCode).toBe(5);
      expect(JSON.parse(all.stdout)).toMatchObject({
        containers: [{ container: 'good', changes: [{ path: 'etc/one', kind: 'added' }] }],
        errors: [{ repository: 'bad' }],
      });
    } finally {
      rmSync(path, { recursive: true });
      renameSync(`${path}.away`, path);
    }
  });

  it('does not stop what needs no damaged branch, tag or manifest', async () => {
    for (const ref of ['refs/heads/old', 'refs/tags/v1']) {
      await withEach(repository(ref), async () => {
        const { containers, troubles } = await (await engine()).list();
        expect(containers).toHaveLength(3);
        expect(troubles).toHaveLength(1);
        const notices: string[] = [];
        const reading = await openEngine({
          lxcpath: lxc.lxcpath,
          report: (event) => void (event.kind === 'notice' && notices.push(event.message)),
        });
        expect((await reading.log({ revision: 'bad', all: true })).entries).toHaveLength(2);
        expect(notices).toEqual([expect.stringContaining(ref)]);
        expect((await reading.status('bad' as ContainerName)).version?.number).toBe(1);
        const name = ref.split('/').at(-1);
        await expect(reading.log({ revision: `bad@${name}`, all: false })).rejects.toMatchObject({
          code: 'store-damaged',
        });
        expect((await reading.fsck(undefined)).map(({ code }) => code)).toEqual(['ref-damaged']);
      });
    }
    await withEach(repository(`versions/${first}/manifest.json`), async () => {
      const reading = await engine();
      expect((await reading.log({ revision: 'fork', all: true })).entries).toHaveLength(1);
      expect((await reading.status('fork' as ContainerName)).version?.number).toBe(0);
      expect((await reading.list()).troubles).toMatchObject([{ container: 'bad' }]);
      await expect(reading.status('bad' as ContainerName)).rejects.toMatchObject({ code: 'store-damaged' });
    });
  });

  it('never gives a number twice, though the newest manifest cannot be read', async () => {
    const path = repository(`versions/${first}/manifest.json`);
    const text = readFileSync(path);
    renameSync(path, `${path}.away`);
    writeFileSync(path, 'garbage');
    try {
      const author = { name: 'Ada', email: 'ada@example.org' };
      const request = { container: 'fork' as ContainerName, message: '', author, allowEmpty: true, acceptBase: false };
      expect((await (await engine()).commit(request)).number).toBe(2);
    } finally {
      renameSync(`${path}.away`, path);
    }
    expect(readFileSync(path).equals(text)).toBe(true);
  });

  it('does not make a store hang or crash where store.json is no file', async () => {
    await withEach(join(lxc.store, 'store.json'), async () => {
      for (const args of [['list'], ['log', 'good'], ['fsck']]) {
        const { exitCode, stderr } = await lxc.lxcv(...args);
        expect({ exitCode, stderr }).toEqual({
          exitCode: 5,
          stderr: expect.stringMatching(/^lxcv: \S+store\.json is .*\n.*\n$/),
        });
      }
    });
    expect(existsSync(join(lxc.store, 'store.json'))).toBe(true);
  });
});
