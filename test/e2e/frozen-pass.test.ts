/** What comes between while a container stands still for its commit: signals to the real program. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type LogJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';

const SIGNAL_AT = fileURLToPath(new URL('../support/signal-at.cjs', import.meta.url));
const NAME = 'mysql';

describe('a signal while a container stands still for its commit', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('lets it go on, and there is no version (%s)', async (signal) => {
    using lxc = await runningContainer();
    const words = ['--require', SIGNAL_AT, LXCV, 'commit', '-P', lxc.lxcpath, '-m', 'No', '--json', NAME];
    const env = { PATH: process.env.PATH, HOME: lxc.directory, LXCV_TEST_SIGNAL: `${signal} frozen` };
    const told = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
    expect(told.signal, `${told.stdout}${told.stderr}`).toBe(signal);
    expect(JSON.parse(told.stdout)).toMatchObject({ error: { code: 'interrupted' } });
    expect((await lxc.info(NAME)).state).toBe('RUNNING');
    expect(await lxc.attach(NAME, 'echo it runs')).toBe('it runs\n');
    expect((await lxc.json<LogJson>('log', NAME)).versions).toHaveLength(1);
    expect(await lxc.json('fsck', NAME)).toEqual({ findings: [] });
    expect(await lxc.json('commit', '-m', 'Yes', NAME)).toMatchObject({ version: { number: 1 } });
  });
});

/** With one version, something to commit, and something that changes right before it is frozen. */
async function runningContainer(): Promise<TestLxc> {
  const lxc = temporaryLxc();
  try {
    lxc.createBase();
    lxc.quieten('base');
    await lxc.clone('base', NAME);
    await lxc.commit(NAME, 'First');
    const hooks = join(lxc.store, NAME, 'hooks');
    mkdirSync(hooks);
    const late = `echo late >${lxc.rootfs(NAME).upper}/late`;
    writeFileSync(join(hooks, 'pre-freeze'), `#!/bin/sh\n${late}\n`, { mode: 0o755 });
    await lxc.start(NAME);
    await lxc.attach(NAME, 'echo one >/home/one');
    return lxc;
  } catch (error) {
    lxc[Symbol.dispose]();
    throw error;
  }
}
