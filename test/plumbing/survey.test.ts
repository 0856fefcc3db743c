import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../src/engine.js';
import { type Host, machine } from '../../src/host/host.js';
import type { HostPath } from '../../src/host/libc.js';
import type { ContainerName, RepositoryName } from '../../src/model/version.js';
import { RepositoryLayout } from '../../src/store/layout.js';
import { lockRepository } from '../../src/store/store.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { populate } from '../support/populous.js';

const REPOSITORIES = 4;
const CONTAINERS = 10;

describe('what tells of all repositories', () => {
  let place: DisposablePath;
  let lxcpath: string;

  beforeAll(() => {
    place = temporaryDirectory();
    lxcpath = join(place.path, 'lxc');
    populate(lxcpath, REPOSITORIES, CONTAINERS);
  });
  afterAll(() => place[Symbol.dispose]());

  it.each<[string, (engine: Engine) => Promise<unknown>]>([
    ['list', (engine) => engine.list()],
    ['status --all', (engine) => engine.statusOfAll()],
    ['fsck', (engine) => engine.fsck(undefined)],
  ])('reads each config, record and include once, and the sockets once: %s', async (_, look) => {
    const reads = new Map<string, number>();
    let tables = 0;
    const host = counting((path) => reads.set(path, (reads.get(path) ?? 0) + 1));
    const states: Host['lxc']['states'] = (path) => {
      tables += 1;
      return machine.lxc.states(path);
    };
    const lxc = { ...machine.lxc, states, state: () => Promise.reject(new Error('asked for one')) };
    await look(await openEngine({ lxcpath, host: { ...host, lxc } }));
    const of = (name: RegExp) => [...reads].filter(([path]) => name.test(path));
    expect(of(/\/lxc\/c\d+\/config$/)).toHaveLength(CONTAINERS);
    expect(of(/\/working\.json$/)).toHaveLength(CONTAINERS);
    expect(of(/\/lxc\/c\d+\/config$|\/working\.json$|^\/usr\//).filter(([, count]) => count > 1)).toEqual([]);
    expect(tables).toBeLessThanOrEqual(1);
  });

  it('looks at nothing by itself that a listing told of: fsck', async () => {
    const looks: string[] = [];
    const { stat, statTarget } = machine.files;
    const told =
      <Result>(look: (path: HostPath) => Result) =>
      (path: HostPath): Result => {
        looks.push(String(path));
        return look(path);
      };
    const files = { ...machine.files, stat: told(stat), statTarget: told(statTarget) };
    await (await openEngine({ lxcpath, host: { ...machine, files } })).fsck(undefined);
    const listed = /\/versions\/[^/]+\/(?!working\.json$)|\/containers\/c\d+$|\/refs\/heads\//;
    expect(looks.filter((path) => listed.test(path))).toEqual([]);
  });

  it('tells of a record that others can write to, whether it was looked at before it was opened or not: fsck', async () => {
    const root = new RepositoryLayout(`${lxcpath}v`, 'r0' as RepositoryName).root;
    const names = ['refs/heads/main', 'versions/v00000000001/manifest.json'];
    const paths = names.map((name) => join(root, name));
    for (const path of paths) chmodSync(path, 0o666);
    const findings = await (await openEngine({ lxcpath })).fsck(undefined);
    for (const path of paths) chmodSync(path, 0o600);
    const writable = findings.filter(({ message }) => message.includes('can be written to by others'));
    expect(writable.map(({ where }) => where).sort()).toEqual(paths);
  });

  it('tells what is there', async () => {
    const engine = await openEngine({ lxcpath });
    const { containers, troubles } = await engine.list();
    expect(containers.filter(({ dirty }) => dirty).map(({ name }) => name)).toEqual(['c0', 'c3', 'c6', 'c9']);
    expect([containers.length, troubles]).toEqual([CONTAINERS, []]);
    expect(await engine.fsck(undefined)).toEqual([]);
    const all = await engine.statusOfAll();
    expect(all.containers.map(({ container, changes }) => [container, [...changes].length]).slice(0, 2)).toEqual([
      ['c0', 1],
      ['c1', 0],
    ]);
  });

  it('does not tell as damage what is on its way with another lxcv: fsck looks again', async () => {
    const [staged, layout] = [
      join(lxcpath, '.lxcv-abcdefghijkl'),
      new RepositoryLayout(`${lxcpath}v`, 'r0' as RepositoryName),
    ];
    const guard = layout.guard('c0' as ContainerName);
    const find = async (looks: number, act: () => void) => {
      let looked = 0;
      const sleep = async () => {
        looked += 1;
        if (looked === looks) act();
      };
      const findings = await (await openEngine({ lxcpath, host: { ...machine, sleep } })).fsck(undefined);
      return { looked, told: findings.map(({ where }) => where) };
    };
    mkdirSync(staged);
    rmdirSync(guard);
    const finish = () => {
      rmdirSync(staged);
      mkdirSync(guard, { mode: 0o700 });
    };
    expect(await find(3, finish)).toEqual({ looked: 3, told: [] });
    mkdirSync(staged);
    expect(await find(99, () => {})).toEqual({ looked: 19, told: [staged] });
    {
      using _ = await lockRepository(machine, lxcpath, 'r1' as RepositoryName, 'checkout');
      expect(await find(99, () => {})).toEqual({ looked: 0, told: [] });
    }
    rmdirSync(staged);
  });

  it('calls no repository unused whose one container has a record that cannot be read: list', async () => {
    using small = temporaryDirectory();
    const path = join(small.path, 'lxc');
    populate(path, 1, 1);
    const { versions } = new RepositoryLayout(`${path}v`, 'r0' as RepositoryName);
    const records = readdirSync(versions).map((id) => join(versions, id, 'working.json'));
    for (const record of records) if (existsSync(record)) writeFileSync(record, 'torn');
    const { containers, repositories, troubles } = await (await openEngine({ lxcpath: path })).list();
    expect([containers, repositories, troubles]).toEqual([[], [], [expect.objectContaining({ container: 'c0' })]]);
  });

  it('tells of a name in the store that is none of a repository, and not of what lxcv or the file system has there: fsck', async () => {
    using small = temporaryDirectory();
    const path = join(small.path, 'lxc');
    populate(path, 1, 1);
    for (const name of ['a b', 'lost+found']) mkdirSync(join(`${path}v`, name), { mode: 0o700 });
    for (const name of ['.message-c0', '.store-abc']) writeFileSync(join(`${path}v`, name), '');
    const findings = await (await openEngine({ lxcpath: path })).fsck(undefined);
    expect(findings.map(({ code, where }) => [code, where])).toEqual([['unknown-file', `${path}v/a b`]]);
  });

  it('is read again for its own repository alone', async () => {
    const disturbed = async (disturber: string) => {
      const heads: string[] = [];
      let isDisturbed = false;
      const host = counting((path) => {
        if (!path.endsWith('refs/heads/main')) return;
        heads.push(path.split('/').at(-4) as string);
        if (isDisturbed || heads.length < 2) return;
        isDisturbed = true;
        appendFileSync(join(`${lxcpath}v`, disturber, 'operations'), '\n');
      });
      expect((await (await openEngine({ lxcpath, host })).list()).containers).toHaveLength(CONTAINERS);
      return heads;
    };
    expect(await disturbed('r0')).toEqual(['r0', 'r1', 'r2', 'r3']);
    expect(await disturbed('r1')).toEqual(['r0', 'r1', 'r1', 'r2', 'r3']);
    expect(await disturbed('r3')).toEqual(['r0', 'r1', 'r2', 'r3']);
  });
});

/** A machine that says which files are read whole. */
function counting(told: (path: string) => void): Host {
  const tell =
    <More extends unknown[], Result>(read: (path: HostPath, ...more: More) => Result) =>
    (path: HostPath, ...more: More): Result => {
      told(String(path));
      return read(path, ...more);
    };
  const { read, readIfPresent } = machine.files;
  return { ...machine, files: { ...machine.files, read: tell(read), readIfPresent: tell(readIfPresent) } };
}
