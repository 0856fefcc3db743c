/** Signals while a container is stopped to be restarted: LXC's tools do not get those of the terminal, and nothing is told wrongly. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import { machine } from '../../src/host/host.js';
import type { ReportEvent } from '../../src/plumbing/context.js';
import { type LogJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { until } from '../support/until.js';

describe('a signal while a container is stopped', () => {
  it('of the whole process group is told as that, and the container is started again', async () => {
    using lxc = await slowContainer();
    const { pid } = await lxc.info('web');
    const checkout = startCheckout(lxc);
    await until(() => isAsked(lxc), true);
    checkout.signalGroup();
    await until(() => checkout.hasEnded() || checkout.said().includes('was told to stop'), true);
    await lxc.attach('web', 'touch /go');
    expect(await checkout.ended, checkout.said()).toEqual([null, 'SIGINT']);
    expect(JSON.parse(checkout.printed())).toMatchObject({
      error: {
        code: 'interrupted',
        message: 'interrupted by SIGINT',
        hint: 'Nothing was done, but that web was restarted.',
      },
    });
    expect(await lxc.info('web')).toEqual({ state: 'RUNNING', pid: expect.not.toSatisfy((now) => now === pid) });
    await isUnchanged(lxc);
  });

  it('lets it be started all the same where that comes too late', async () => {
    using lxc = await slowContainer();
    const [asked, go] = [join(lxc.directory, 'asked'), join(lxc.directory, 'go')];
    writeFileSync(join(lxc.directory, 'hook'), `#!/bin/sh\ntouch ${asked}\nuntil [ -e ${go} ]; do sleep 0.1; done\n`, {
      mode: 0o755,
    });
    lxc.editConfig('web', (text) => `${text}lxc.hook.pre-start = ${lxc.directory}/hook\n`);
    await lxc.attach('web', 'touch /go');
    const checkout = startCheckout(lxc);
    await until(() => existsSync(asked), true);
    checkout.signalGroup();
    await until(() => checkout.hasSignal(), true);
    writeFileSync(go, '');
    expect(await checkout.ended, checkout.said()).toEqual([null, 'SIGINT']);
    expect(JSON.parse(checkout.printed())).toMatchObject({ version: { number: 0 } });
    expect((await lxc.info('web')).state).toBe('RUNNING');
  });

  it('lets one go on that does not stop', async () => {
    using lxc = await slowContainer();
    const { pid } = await lxc.info('web');
    const controller = new AbortController();
    // A minute passes at once.
    const monotonicMs = () => machine.monotonicMs() + (controller.signal.aborted ? 60_000 : 0);
    const engine = await openEngine({ lxcpath: lxc.lxcpath, host: { ...machine, monotonicMs } });
    const told: ReportEvent[] = [];
    const request = { revision: 'web@0', detach: false, restart: true, acceptBase: false };
    const options = { signal: controller.signal, report: (event: ReportEvent) => void told.push(event) };
    const refused = expect(engine.checkout(request, options)).rejects.toMatchObject({
      code: 'interrupted',
      hint: 'Nothing was done, and web goes on.',
    });
    await until(() => isAsked(lxc), true);
    controller.abort('SIGTERM');
    await refused;
    expect(told).toEqual([
      { kind: 'step', what: 'stopping web' },
      { kind: 'notice', message: expect.stringMatching(/^web was told to stop already/) },
    ]);
    expect(await lxc.info('web')).toEqual({ state: 'RUNNING', pid });
    await isUnchanged(lxc);
  });
});

/** Running, with two versions; told to stop, its init says so in `/asked`, and stops when there is a `/go`. */
async function slowContainer(): Promise<TestLxc> {
  const lxc = temporaryLxc();
  try {
    lxc.createBase('web');
    lxc.editConfig('web', (text) => `${text.replace(/^lxc\.signal\.halt.*\n/m, '')}lxc.init.cmd = /bin/sh /init.sh\n`);
    {
      using root = lxc.mount('web');
      const stop = 'touch /asked; until [ -e /go ]; do sleep 0.1; done; rm /go /asked; exit';
      writeFileSync(join(root.path, 'init.sh'), `trap '${stop}' PWR\nwhile :; do sleep 0.1; done\n`);
    }
    for (const message of ['first', 'second']) await lxc.lxcv('commit', '-m', message, '--allow-empty', 'web');
    await lxc.start('web');
    return lxc;
  } catch (error) {
    lxc[Symbol.dispose]();
    throw error;
  }
}

/** In a process group of its own. */
function startCheckout(lxc: TestLxc) {
  const words = [LXCV, 'checkout', '-P', lxc.lxcpath, '--restart', '--json', 'web@0'];
  const env = { PATH: process.env.PATH, HOME: lxc.directory };
  const child = spawn(process.execPath, words, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [printed, said] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => {
    printed += bytes;
  });
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    printed: () => printed,
    said: () => said,
    hasEnded,
    ended: once(child, 'close'),
    signalGroup: () => process.kill(-(child.pid as number), 'SIGINT'),
    /** True once no signal waits for it any more. */
    hasSignal: () => hasEnded() || /^ShdPnd:\t0+$/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8')),
  };
}

function isAsked(lxc: TestLxc): boolean {
  return existsSync(join(lxc.rootfs('web').upper, 'asked'));
}

async function isUnchanged(lxc: TestLxc): Promise<void> {
  expect((await lxc.json<LogJson>('log', 'web')).versions).toHaveLength(2);
  expect(existsSync(join(lxc.store, 'web/restarting'))).toBe(false);
}
