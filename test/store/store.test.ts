import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Host, machine } from '../../src/host/host.js';
import type { RepositoryName } from '../../src/model/version.js';
import { appendRecord, readPending } from '../../src/store/operation-log.js';
import {
  listMisplaced,
  listRepositories,
  lockRepository,
  openRepository,
  type RecoveredOperations,
  recoverPending,
  Unsettled,
} from '../../src/store/store.js';
import { toldUnfinished } from '../../src/store/unfinished.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { directory, plant, symlinkTo } from '../support/plant.js';
import { compareTrees, readTree } from '../support/tree.js';

const MYSQL = 'mysql' as RepositoryName;

describe('lockRepository', () => {
  it('makes a store and a repository that only root can enter', async () => {
    using place = temporaryDirectory();
    using layout = await lock(place);
    expect(layout.root).toBe(join(place.path, 'lxcv/mysql'));
    expect(readdirSync(layout.root).sort()).toEqual(['containers', 'empty', 'lock', 'refs', 'versions']);
    expect(readdirSync(join(place.path, 'lxcv')).sort()).toEqual(['mysql', 'store.json']);
    for (const [path, node] of readTree(join(place.path, 'lxcv'))) expect(node.mode & 0o077, path).toBe(0);
    expect(JSON.parse(readFileSync(join(place.path, 'lxcv/store.json'), 'utf8'))).toEqual({
      format: 1,
      id: expect.stringMatching(/^[a-z][a-z0-9]{11}$/),
    });
  });

  it('changes nothing in a store that is there', async () => {
    using place = temporaryDirectory();
    (await lock(place))[Symbol.dispose]();
    const before = readTree(place.path);
    (await lock(place))[Symbol.dispose]();
    const differences = compareTrees(readTree(place.path), before, { ignore: (path) => path.endsWith('/lock') });
    expect(differences).toEqual([]);
  });

  it('waits for another one, and gives up in the end without a change', async () => {
    using place = temporaryDirectory();
    using _ = await lock(place);
    let slept = 0;
    const host = withSleep((milliseconds) => {
      slept += milliseconds;
    });
    await expect(lock(place, host)).rejects.toMatchObject({
      code: 'repository-locked',
      exitCode: 3,
      message: expect.stringContaining(`commit mysql (process ${process.pid})`),
    });
    expect(slept).toBeGreaterThanOrEqual(5000);
  });

  it('has the lock as soon as the other one lets go of it', async () => {
    using place = temporaryDirectory();
    const first = await lock(place);
    const host = withSleep(() => first[Symbol.dispose]());
    using second = await lock(place, host);
    expect(second.name).toBe(MYSQL);
  });

  it('locks each repository by itself', async () => {
    using place = temporaryDirectory();
    using _ = await lock(place);
    using other = await lockRepository(machine, join(place.path, 'lxc'), 'other' as RepositoryName, 'commit');
    expect(listRepositories(machine, join(place.path, 'lxc'))).toEqual([MYSQL, other.name]);
  });

  it('finishes first what an earlier process left', async () => {
    using place = temporaryDirectory();
    const rubbish = leavePending(place);
    using layout = await lock(place);
    expect(readdirSync(layout.root)).not.toContain('rubbish');
    expect(readPending(machine.files, layout.operations)).toBeUndefined();
    expect(rubbish).toBe(join(layout.root, 'rubbish'));
  });

  it('lets go of the lock where it cannot go on', async () => {
    using place = temporaryDirectory();
    leavePending(place);
    const stuck = join(place.path, 'lxcv/mysql/rubbish');
    rmSync(stuck);
    mkdirSync(stuck);
    await expect(lock(place)).rejects.toMatchObject({
      code: 'operation-pending',
      message: expect.stringContaining(
        'an interrupted commit of mysql in the repository mysql waits to be rolled back',
      ),
    });
    rmSync(stuck, { recursive: true });
    using layout = await lock(place);
    expect(layout.name).toBe(MYSQL);
  });

  it.each([
    ['store-newer', '{"format": 2}'],
    ['store-damaged', 'no JSON'],
    ['store-damaged', '{"id": "abcdefghijkl"}'],
  ])('refuses a store that says otherwise: %s', async (code, content) => {
    using place = temporaryDirectory();
    plant(place.path, { 'lxcv/store.json': content });
    await expect(lock(place)).rejects.toMatchObject({ code });
    await expect(open(machine, join(place.path, 'lxc'))).rejects.toMatchObject({ code });
    expect(() => listRepositories(machine, join(place.path, 'lxc'))).toThrow(expect.objectContaining({ code }));
    expect(readdirSync(join(place.path, 'lxcv'))).toEqual(['store.json']);
  });
});

/** Opens a repository as a reader does, who looks after what is pending. */
async function open(host: Host, lxcpath: string, name = MYSQL) {
  const settled: RecoveredOperations = new Map();
  for (;;) {
    try {
      return openRepository(host, lxcpath, name, settled);
    } catch (error) {
      if (!(error instanceof Unsettled)) throw error;
      await recoverPending(host, error, settled, () => {});
    }
  }
}

describe('openRepository', () => {
  it('finds none where there is no store, or no such repository, and makes none', async () => {
    using place = temporaryDirectory();
    const lxcpath = join(place.path, 'lxc');
    expect(await open(machine, lxcpath)).toBeUndefined();
    expect(readdirSync(place.path)).toEqual([]);
    (await lock(place))[Symbol.dispose]();
    expect(await open(machine, lxcpath, 'other' as RepositoryName)).toBeUndefined();
    expect(readdirSync(join(place.path, 'lxcv')).sort()).toEqual(['mysql', 'store.json']);
  });

  it('takes no lock where nothing is pending', async () => {
    using place = temporaryDirectory();
    using locked = await lock(place);
    const host: Host = {
      ...machine,
      takeLock: () => {
        throw new Error('took a lock');
      },
    };
    expect((await open(host, join(place.path, 'lxc')))?.layout.root).toBe(locked.root);
  });

  it('finishes what an earlier process left', async () => {
    using place = temporaryDirectory();
    leavePending(place);
    const opened = await open(machine, join(place.path, 'lxc'));
    expect(opened?.unfinished).toBeUndefined();
    expect(readdirSync(opened?.layout.root as string)).not.toContain('rubbish');
  });

  it('leaves alone what another process is at work on', async () => {
    using place = temporaryDirectory();
    using layout = await lock(place);
    leavePending(place);
    expect(await open(machine, join(place.path, 'lxc'))).toBeDefined();
    expect(readdirSync(layout.root)).toContain('rubbish');
    expect(readPending(machine.files, layout.operations)?.last.state).toBe('begin');
  });

  it('waits for what another process carries on behind its commit point, and for no longer than a minute', async () => {
    using place = temporaryDirectory();
    using layout = await lock(place);
    leavePending(place);
    appendRecord(machine.files, layout.operations, { operation: 'one', state: 'ready', inode: '1' });
    const openLater = async (until: number) => {
      let waited = 0;
      const sleep = async (ms: number) => {
        waited += ms;
        if (waited >= until) {
          appendRecord(machine.files, layout.operations, { operation: 'one', state: 'end', outcome: 'done' });
        }
      };
      try {
        const opened = await open({ ...machine, sleep }, join(place.path, 'lxc'));
        return { found: opened?.layout.name, waited };
      } catch (error) {
        return { error, waited };
      }
    };
    const late = await openLater(Number.POSITIVE_INFINITY);
    expect(late.error).toMatchObject({ code: 'repository-locked', message: expect.stringContaining('mysql: ') });
    expect(late.waited).toBe(60_000);
    expect(await openLater(30_000)).toEqual({ found: MYSQL, waited: 30_000 });
  });

  it.each([
    ['EROFS', 'mount -o remount,rw'],
    ['ENOSPC', 'Free some space'],
    ['EDQUOT', 'Free some space'],
    ['EIO', 'dmesg'],
    ['EPERM', 'chattr -f -i'],
    ['EXDEV', 'findmnt'],
  ])('opens a repository in which an operation waits, and says for what: %s', async (code, hint) => {
    using place = temporaryDirectory();
    leavePending(place);
    const fail = () => {
      throw Object.assign(new Error(code), { code });
    };
    const lxcpath = join(place.path, 'lxc');
    const log = join(place.path, 'lxcv/mysql/operations');
    const told = async (host: Host) => {
      const { layout, unfinished } = (await open(host, lxcpath)) ?? {};
      return layout && unfinished && toldUnfinished(layout, unfinished);
    };
    const isLike = (message: string) => ({
      ...{ code: 'operation-pending', hint: expect.stringContaining(hint) },
      message: expect.stringContaining(message),
    });
    const host: Host = { ...machine, files: { ...machine.files, append: fail } };
    expect(await told(host)).toMatchObject(isLike('an interrupted commit of mysql in the repository mysql waits'));
    expect(await told({ ...machine, takeLock: fail })).toMatchObject(isLike('waits to be rolled back'));
    appendRecord(machine.files, log, { operation: 'one', state: 'ready', inode: '1' });
    expect(await told(host)).toMatchObject(isLike('the commit of mysql is done, but its last steps'));
    expect(await told(machine)).toBeUndefined();
  });
});

describe('listRepositories', () => {
  it('lists directories with the names of repositories, sorted', () => {
    using place = temporaryDirectory();
    plant(join(place.path, 'lxcv'), {
      'store.json': '{"format": 1}',
      b: directory,
      a: directory,
      '.being-written': directory,
      'with blank': directory,
      file: '',
      link: symlinkTo('a'),
    });
    expect(listRepositories(machine, join(place.path, 'lxc'))).toEqual(['a', 'b']);
    expect(listMisplaced(machine, join(place.path, 'lxc'))).toEqual(['file', 'link']);
  });

  it('lists none where there is no store', () => {
    using place = temporaryDirectory();
    expect(listRepositories(machine, join(place.path, 'lxc'))).toEqual([]);
    mkdirSync(join(place.path, 'lxcv'));
    expect(listRepositories(machine, join(place.path, 'lxc'))).toEqual([]);
    expect(statSync(join(place.path, 'lxcv')).isDirectory()).toBe(true);
  });
});

function lock(place: DisposablePath, host: Host = machine) {
  return lockRepository(host, join(place.path, 'lxc'), MYSQL, 'commit mysql');
}

function withSleep(sleep: (milliseconds: number) => void): Host {
  return { ...machine, sleep: async (milliseconds) => sleep(milliseconds) };
}

/** A repository in which an operation was begun that has made one file. @returns the file. */
function leavePending(place: DisposablePath): string {
  const root = join(place.path, 'lxcv/mysql');
  plant(join(place.path, 'lxcv'), { 'store.json': '{"format": 1}', 'mysql/versions': directory });
  const rubbish = join(root, 'rubbish');
  appendRecord(machine.files, join(root, 'operations'), {
    operation: 'one',
    state: 'begin',
    time: '2026-01-02T03:04:05.678Z',
    command: 'commit',
    subject: 'mysql',
    point: { from: join(root, 'staged'), to: join(root, 'done') },
    forward: [],
    back: [{ do: 'unlink', path: rubbish }],
  });
  writeFileSync(rubbish, '');
  return rubbish;
}
