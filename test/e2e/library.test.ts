import { readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../src/engine.js';
import type { ContainerName } from '../../src/model/version.js';
import type { ReportEvent } from '../../src/plumbing/context.js';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';

const AUTHOR = { name: 'Ada', email: 'ada@example.org' };

describe('the engine in a program of its own', () => {
  let lxc: TestLxc;
  let engine: Engine;

  beforeAll(async () => {
    lxc = temporaryLxc();
    lxc.createBase();
    for (const name of ['one', 'two']) {
      await lxc.clone('base', name);
      await lxc.commit(name, 'first');
    }
    engine = await openEngine({ lxcpath: lxc.lxcpath });
  });
  afterAll(() => lxc[Symbol.dispose]());

  const commit = (container: string, signal?: AbortSignal) =>
    engine.commit(
      { container: container as ContainerName, message: 'again', author: AUTHOR, allowEmpty: true, acceptBase: false },
      { signal },
    );
  const numbers = async (name: string) =>
    [...(await engine.log({ revision: name, all: true })).entries].map(({ version }) => version.number);

  it('ends the call whose signal aborts, rolls it back, and leaves others and itself as they are', async () => {
    const before = await numbers('one');
    const [aborted, done] = await Promise.allSettled([commit('one', AbortSignal.abort('SIGTERM')), commit('two')]);
    expect(aborted).toMatchObject({ status: 'rejected', reason: { code: 'interrupted' } });
    expect(done).toMatchObject({ status: 'fulfilled', value: { number: 1 } });
    expect(await numbers('one')).toEqual(before);
    await expect(commit('one')).resolves.toMatchObject({ number: before.length });
    expect(await engine.fsck(undefined)).toEqual([]);
  });

  it('tells what goes on to the function of the call', async () => {
    const told: ReportEvent[] = [];
    const [first, second] = await Promise.all([
      engine.diff({ from: 'one@0', to: 'one@0', packages: true }, { report: (event) => told.push(event) }),
      engine.diff({ from: 'two@0', to: 'two@0', packages: true }),
    ]);
    expect([first.changes.length, second.changes.length]).toEqual([0, 0]);
    expect(told).toMatchObject([{ kind: 'notice', message: /^neither one@0 nor one@0 has/ }]);
  });

  it('leaves the process as it was: its namespaces, its listeners, and what it may be ended by', async () => {
    const look = () => ({
      namespaces: ['mnt', 'user', 'pid', 'net'].map((name) => readlinkSync(`/proc/thread-self/ns/${name}`)),
      umask: process.umask(),
      directory: process.cwd(),
      listeners: ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'uncaughtException'].map((name) =>
        process.listenerCount(name),
      ),
    });
    const before = look();
    await commit('two');
    expect(look()).toEqual(before);
  });

  it('has the event loop turn while a file system is synced', async () => {
    let turns = 0;
    let going = true;
    const count = () => {
      turns += 1;
      if (going) setImmediate(count);
    };
    setImmediate(count);
    await commit('one');
    going = false;
    expect(turns).toBeGreaterThan(2);
  });
});
