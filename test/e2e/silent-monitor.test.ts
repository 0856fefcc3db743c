/** A container whose monitor is stopped: LXC's own tools wait for it for ever. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { type Engine, openEngine } from '../../src/engine.js';
import { machine } from '../../src/host/host.js';
import { type Lxc, lxc as realLxc } from '../../src/host/lxc.js';
import { commandSocketName } from '../../src/host/monitor.js';
import type { ContainerName } from '../../src/model/version.js';
import { LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { untilSo } from '../support/until.js';

const C = 'mysql' as ContainerName;
const COMMIT = { message: 'again', author: { name: 'Ada', email: 'ada@example.org' }, acceptBase: false };
/** So many may wait for a monitor to accept them: LXC listens with 100. */
const QUEUE = 101;

describe('a container whose monitor does not answer', () => {
  it('has an unknown state, when time is up and at an abort, also where nobody else gets into the queue', async () => {
    using lxc = temporaryLxc();
    lxc.createBase(C);
    await lxc.start(C);
    const { lxcpath } = lxc;
    {
      using _ = await stopMonitor(lxc, C);
      const controller = new AbortController();
      const asked = realLxc.state(lxcpath, C, { abort: controller.signal, patienceMs: 1 << 30 });
      controller.abort();
      expect(await asked).toBe('unknown');
      expect(await realLxc.state(lxcpath, C, { abort: controller.signal, patienceMs: 1 << 30 })).toBe('unknown');
      for (let turn = 0; turn < QUEUE; turn += 1) {
        expect(await realLxc.state(lxcpath, C, { patienceMs: 1 })).toBe('unknown');
      }
      expect(await realLxc.state(lxcpath, C, { patienceMs: 1 << 30 })).toBe('unknown');
    }
    expect(await realLxc.state(lxcpath, C)).toBe('running');
  });

  it('uses up the patience for all that are asked together', async () => {
    using lxc = temporaryLxc();
    lxc.createBase(C);
    await lxc.start(C);
    using _ = await stopMonitor(lxc, C);
    const waits = vi.spyOn(Socket.prototype, 'setTimeout');
    try {
      const ask = await realLxc.states(lxc.lxcpath, { patienceMs: 150 });
      expect([await ask(C), await ask(C)]).toEqual(['unknown', 'unknown']);
      expect(waits.mock.calls.map(([waitMs]) => waitMs)).toEqual([150, 100]);
    } finally {
      waits.mockRestore();
    }
  });

  it('is told as that beside the others, and not committed', async () => {
    using lxc = temporaryLxc();
    for (const name of [C, 'web']) {
      lxc.createBase(name);
      lxc.quieten(name);
      await lxc.commit(name, 'first');
      await lxc.start(name);
    }
    const notices: string[] = [];
    const engine = await impatientEngine(lxc, notices);
    using monitor = await stopMonitor(lxc, C);
    const before = lxc.listing();
    const error = {
      code: 'failed',
      message: "LXC's monitor of mysql does not answer: nobody can tell whether mysql runs",
      hint: `See whether it is stopped (ps -o stat= ${monitor.pid} says T), and have it go on: kill -CONT ${monitor.pid}`,
    };

    const { containers, troubles } = await engine.list();
    expect(containers.map(({ name, state }) => [name, state])).toEqual([
      [C, 'unknown'],
      ['web', 'running'],
    ]);
    expect(troubles).toMatchObject([{ repository: C, container: C, error }]);

    const all = await engine.statusOfAll();
    expect(all.containers.map(({ container, state }) => [container, state])).toEqual([
      [C, 'unknown'],
      ['web', 'running'],
    ]);
    expect(all.troubles).toMatchObject([{ repository: C, container: C, error }]);

    expect(await engine.status(C)).toMatchObject({ container: C, state: 'unknown' });
    expect(notices).toEqual([`${error.message}. ${error.hint}`]);

    await expect(engine.commit({ container: C, allowEmpty: true, ...COMMIT })).rejects.toMatchObject(error);
    const checkout = { revision: 'mysql@0', container: C, detach: false, restart: true, acceptBase: false };
    await expect(engine.checkout(checkout)).rejects.toMatchObject(error);
    expect(lxc.listing()).toEqual(before);
  });

  it.each([['commit', '-m', 'again', C], ['list'], ['status', '--all'], ['status', C]])(
    'keeps no command from ending at one signal: %s',
    async (...args) => {
      using lxc = temporaryLxc();
      lxc.createBase(C);
      lxc.quieten(C);
      await lxc.commit(C, 'first');
      await lxc.start(C);
      using _ = await stopMonitor(lxc, C);
      const before = lxc.listing();
      const callers = countSockets(lxc);
      const [command = '', ...rest] = args;
      const child = spawn(process.execPath, [LXCV, command, '-P', lxc.lxcpath, ...rest], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env.PATH, HOME: lxc.directory },
      });
      const said = text(child.stderr);
      await untilSo(
        () => countSockets(lxc),
        (count) => count > callers,
        'one more',
      );
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
      const told = 'lxcv: interrupted by SIGTERM\n      Nothing was done: everything is as it was before.\n';
      expect(await said).toBe(command === 'commit' ? told : '');
      expect(lxc.listing()).toEqual(before);
    },
  );
});

/** Stops LXC's monitor of a running container until disposed of. */
async function stopMonitor(lxc: TestLxc, name: string): Promise<Disposable & { readonly pid: number }> {
  const { pid: init } = await lxc.info(name);
  const pid = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${init}/status`, 'utf8'))?.[1]);
  process.kill(pid, 'SIGSTOP');
  return { pid, [Symbol.dispose]: () => void process.kill(pid, 'SIGCONT') };
}

/** The same with less patience. */
async function impatientEngine({ lxcpath }: TestLxc, notices: string[]): Promise<Engine> {
  const patienceMs = 20;
  const lxc: Lxc = {
    ...realLxc,
    state: (path, name, patience) => realLxc.state(path, name, { ...patience, patienceMs }),
    states: (path, patience) => realLxc.states(path, { ...patience, patienceMs }),
  };
  const report = (event: { readonly kind: string; readonly message?: string }) => {
    if (event.kind === 'notice') notices.push(event.message ?? '');
  };
  return await openEngine({ lxcpath, host: { ...machine, lxc }, report });
}

/** The command socket of a container, and those who wait for it to accept them. */
function countSockets({ lxcpath }: TestLxc): number {
  return readFileSync('/proc/net/unix', 'latin1').split(`@${commandSocketName(lxcpath, C)}\n`).length;
}
