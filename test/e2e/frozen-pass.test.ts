/** What comes between while a container stands still for its commit: signals to the real program, its owner, and who would keep lxcv from a witness. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { openEngine } from '../../src/engine.js';
import type * as Freezer from '../../src/host/freezer.js';
import { type Host, machine } from '../../src/host/host.js';
import type { ContainerName } from '../../src/model/version.js';
import { useUpInotify } from '../support/libc.js';
import { type LogJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';

/** Has each freeze be followed by a thaw, as a keeper does that was killed, before the container stands still. */
const keeper = vi.hoisted(() => ({ thaws: false }));
vi.mock('../../src/host/freezer.js', async (original) => {
  const freezer: typeof Freezer = await original();
  const writeFreezer: typeof freezer.writeFreezer = (group, what) => {
    freezer.writeFreezer(group, what);
    if (keeper.thaws && what === 'freeze') freezer.writeFreezer(group, 'thaw');
  };
  return { ...freezer, writeFreezer };
});

const SIGNAL_AT = fileURLToPath(new URL('../support/signal-at.cjs', import.meta.url));
const NAME = 'mysql' as ContainerName;
/** So many files this process may have open, and some more. */
const INSTANCES_MAX = 512;

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

describe('a container that its owner froze', () => {
  it.each([
    ['thaws', ['lxc-unfreeze'], 'RUNNING'],
    ['thaws and freezes again', ['lxc-unfreeze', 'lxc-freeze'], 'FROZEN'],
  ] as const)('is not told as one moment where the owner %s it under the copy', async (_, tools, state) => {
    using lxc = await runningContainer();
    const run = (tool: string) => execFileSync(tool, ['-P', lxc.lxcpath, '-n', NAME]);
    run('lxc-freeze');
    // Once the copy has been found to begin while it stands still.
    const meanwhile = afterFirstLook(() => tools.forEach(run));
    const engine = await openEngine({ lxcpath: lxc.lxcpath, host: meanwhile });
    const author = { name: 'Ada', email: 'ada@example.org' };
    const request = { container: NAME, message: '', author, allowEmpty: false, acceptBase: false };
    await expect(engine.commit(request)).rejects.toMatchObject({ code: 'thawed-meanwhile' });
    expect((await lxc.info(NAME)).state).toBe(state);
    expect((await lxc.json<LogJson>('log', NAME)).versions).toHaveLength(1);
    if (state === 'FROZEN') run('lxc-unfreeze');
    expect(await lxc.json('commit', '-m', 'Yes', NAME)).toMatchObject({ version: { number: 1 } });
  });

  it('is committed and stays frozen, also where its control group is not to be seen', async () => {
    using lxc = await runningContainer();
    await lxc.tool('lxc-freeze', '-n', NAME);
    const hide = 'umount -R /sys/fs/cgroup && exec "$@"';
    const commit = [process.execPath, LXCV, 'commit', '-P', lxc.lxcpath, '-m', 'x', '--json', NAME];
    const { stdout } = await lxc.program('unshare', ['--mount', 'sh', '-c', hide, 'sh', ...commit]);
    expect(JSON.parse(stdout)).toMatchObject({ version: { number: 1, pause: 0 } });
    expect((await lxc.info(NAME)).state).toBe('FROZEN');
    await lxc.tool('lxc-unfreeze', '-n', NAME);
  });
});

describe('a container that is thawed before it stood still', () => {
  it('is told as that, and not as one whose time was up', async () => {
    using lxc = await runningContainer();
    const engine = await openEngine({ lxcpath: lxc.lxcpath });
    const author = { name: 'Ada', email: 'ada@example.org' };
    const request = { container: NAME, message: '', author, allowEmpty: false, acceptBase: false, maxPauseMs: 2000 };
    keeper.thaws = true;
    await expect(engine.commit(request)).rejects.toMatchObject({ code: 'thawed-meanwhile' });
    keeper.thaws = false;
    expect((await lxc.info(NAME)).state).toBe('RUNNING');
    expect(await lxc.json('commit', '-m', 'Yes', NAME)).toMatchObject({ version: { number: 1 } });
  });
});

describe('the witness of a freeze', () => {
  it('is had where a container has used up what root may watch', async ({ skip }) => {
    if (Number(readFileSync('/proc/sys/fs/inotify/max_user_instances')) > INSTANCES_MAX)
      skip('root may watch too much');
    using lxc = await runningContainer();
    using _ = useUpInotify();
    expect(await lxc.json('commit', '-m', 'x', NAME)).toMatchObject({ version: { number: 1 } });
  });
});

/** A machine on which something happens after the first look at a container that somebody else froze. */
function afterFirstLook(act: () => void): Host {
  let looks = 0;
  const watchFrozen: Host['lxc']['watchFrozen'] = (...args) => {
    const frozen = machine.lxc.watchFrozen(...args);
    return (
      frozen && {
        look() {
          const state = frozen.look();
          looks += 1;
          if (looks === 1) act();
          return state;
        },
        [Symbol.dispose]: () => frozen[Symbol.dispose](),
      }
    );
  };
  return { ...machine, lxc: { ...machine.lxc, watchFrozen } };
}

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
