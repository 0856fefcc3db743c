/** The freezer under both layouts of control groups, each mounted where only this test sees it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { until, untilSo } from '../support/until.js';

/** As sh(1) mounts it, and where the group of a container is then. */
const LAYOUTS = {
  'version 1': {
    mount: `mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/freezer /sys/fs/cgroup/unified &&
      mount -t cgroup -o freezer none /sys/fs/cgroup/freezer && mount -t cgroup2 none /sys/fs/cgroup/unified`,
    groups: '/sys/fs/cgroup/freezer',
  },
  'version 2': { mount: 'mount -t cgroup2 none /sys/fs/cgroup', groups: '/sys/fs/cgroup' },
};

const HOST_LXC = fileURLToPath(new URL('../../dist/src/host/lxc.js', import.meta.url));
/** Freezes; says at each line that it reads how the container is, and thaws when its input ends. */
const FREEZE = `
import { createInterface } from 'node:readline';
const { lxc } = await import(process.argv[1]);
const freeze = await lxc.freeze(process.argv[2], process.argv[3], Number(process.argv[4]));
console.log('begun');
for await (const _ of createInterface({ input: process.stdin })) console.log('it is ' + freeze.look('thorough'));
await freeze[Symbol.asyncDispose]();
console.log('done');`;
/** Freezes, and thaws while the group cannot be looked at. */
const FREEZE_BLIND = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const { lxc } = await import(process.argv[1]);
const freeze = await lxc.freeze(process.argv[2], process.argv[3], 10000);
const { readFileSync } = fs;
fs.readFileSync = (path, ...rest) => {
  if (/freezer.state|cgroup.events/.test(path)) throw new Error('no look');
  return readFileSync(path, ...rest);
};
syncBuiltinESMExports();
await freeze[Symbol.asyncDispose]().catch(({ message }) => console.log(message));`;
const THAW = 'const { lxc } = await import(process.argv[1]); lxc.thaw(process.argv[2], process.argv[3]);';
const SIGNAL_AT = fileURLToPath(new URL('../support/signal-at.cjs', import.meta.url));
const LONG_MS = 600_000;
/** Long beside what a pause may be told wrongly. */
const HELD_MS = 800;
const SHORT_MS = 100;
/** CAP_SYS_RESOURCE: who has it can spare a process when memory runs out. */
const MAY_SPARE =
  (BigInt(`0x${/^CapEff:\t(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]}`) >> 24n) & 1n;
const SPARED = MAY_SPARE === 1n ? -1000 : 0;

describe.each(Object.entries(LAYOUTS))('with control groups of %s', (_, layout) => {
  let box: Box;
  beforeAll(async () => {
    box = await busyContainer(layout);
  }, 60_000);
  afterAll(async () => {
    await box[Symbol.asyncDispose]();
  });

  it('a container is frozen whole, LXC knows of it from the first moment, and it goes on in the end', async () => {
    const freezing = await box.freeze();
    expect(await box.state()).toBe('FROZEN');
    await expectStill(box);
    expect(await looks(freezing)).toBe('frozen');
    await ends(freezing);
    expect(await box.state()).toBe('RUNNING');
    await expectBusy(box);
    expect(box.keepers()).toEqual([]);
  });

  it('lxc-unfreeze thaws it, and the one who copies hears of it; who freezes it again keeps it frozen', async () => {
    const freezing = await box.freeze();
    await box.tool('lxc-unfreeze');
    expect(await box.state()).toBe('RUNNING');
    await expectBusy(box);
    expect(await looks(freezing)).toBe('thawed');
    await ends(freezing);

    const again = await box.freeze();
    await box.tool('lxc-unfreeze');
    await box.tool('lxc-freeze');
    expect(await looks(again)).toBe('thawed');
    await ends(again);
    expect(await box.state()).toBe('FROZEN');
    await expectStill(box);
    await box.tool('lxc-unfreeze');
    await expectBusy(box);
  });

  it('it goes on in the end also where nobody can look how it is', async () => {
    await said(box.node(FREEZE_BLIND), 'no look');
    await expectBusy(box);
    expect(await box.state()).toBe('RUNNING');
    expect(box.keepers()).toEqual([]);
  });

  it('it is witnessed by its own group, too, where one of an earlier run has the name of its monitor', async () => {
    await using other = await busyContainer(layout, 'beside what was left');
    const freezing = await other.freeze();
    await other.tool('lxc-unfreeze');
    await other.tool('lxc-freeze');
    expect(await looks(freezing)).toBe('thawed');
    await ends(freezing);
    expect(await other.state()).toBe('FROZEN');
    await other.tool('lxc-unfreeze');
  });

  it('a keeper thaws it when its time is up, where lxcv was stopped; lxcv hears of it when it goes on', async () => {
    const freezing = await box.freeze(SHORT_MS);
    freezing.kill('SIGSTOP');
    await expectBusy(box);
    expect(await box.state()).toBe('RUNNING');
    freezing.kill('SIGCONT');
    expect(await looks(freezing)).toBe('late');
    await ends(freezing);
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('it goes on when lxcv gets %s', async (signal) => {
    const freezing = await box.freeze();
    freezing.kill(signal);
    await expectBusy(box);
    await until(box.state, 'RUNNING');
  });

  it('it goes on when lxcv and its keepers get SIGTERM', async () => {
    const freezing = await box.freeze();
    for (const pid of [...box.keepers(), freezing.pid as number]) process.kill(pid, 'SIGTERM');
    await expectBusy(box);
    await until(box.state, 'RUNNING');
  });

  it('it goes on when all that is in the control group of lxcv is killed', async () => {
    const unit = join(layout.groups, `unit-${box.name}`);
    await box.run('mkdir', unit);
    const freezing = await box.freeze(LONG_MS, unit);
    expect(await box.run('cat', join(unit, 'cgroup.procs'))).toBe(`${freezing.pid}`);
    expect(box.keepers()).toHaveLength(2);
    await box.run('sh', '-c', `kill -9 $(cat ${unit}/cgroup.procs)`);
    await expectBusy(box);
    await until(() => box.run('sh', '-c', `rmdir ${unit} && echo gone || true`), 'gone');
  });

  it('one keeper is enough; where both are killed lxcv hears of it, and the next one thaws', async () => {
    const freezing = await box.freeze();
    const [first, second] = box.keepers() as [number, number];
    expect([sessionOf(first), sessionOf(second)]).toEqual([first, second]);
    for (const pid of [first, second])
      expect(Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1'))).toBe(SPARED);
    process.kill(first, 'SIGKILL');
    expect(await looks(freezing)).toBe('frozen');
    freezing.kill('SIGKILL');
    await expectBusy(box);

    const again = await box.freeze();
    for (const pid of box.keepers()) process.kill(pid, 'SIGKILL');
    await until(() => looks(again), 'unguarded');
    again.kill('SIGKILL');
    await once(again, 'exit');
    await expectStill(box);
    expect(await box.state()).toBe('FROZEN');
    const [code] = (await once(box.node(THAW), 'exit')) as [number];
    expect(code).toBe(0);
    await expectBusy(box);
    expect(await box.state()).toBe('RUNNING');
  });

  /** Linux 6.18 and newer, of version 2. */
  const record = (name: string) => join(layout.groups, `lxc.payload.${name}/cgroup.stat.local`);
  it('the pause that a version tells is that of the kernel, to a fifth of a second', async ({ skip }) => {
    const name = `${box.name}-paused`;
    box.lxc.createBase(name);
    box.lxc.quieten(name);
    await box.lxc.commit(name, 'First');
    await box.run('lxc-start', '-P', box.lxc.lxcpath, '-n', name);
    try {
      const frozenMs = async () =>
        Number(/^frozen_usec (\d+)$/m.exec(await box.run('sh', '-c', `cat ${record(name)} || true`))?.[1]) / 1000;
      if (Number.isNaN(await frozenMs())) skip('this kernel keeps no record');
      const hooks = join(box.lxc.store, name, 'hooks');
      mkdirSync(hooks);
      const late = `echo late >${box.lxc.rootfs(name).upper}/late`;
      writeFileSync(join(hooks, 'pre-freeze'), `#!/bin/sh\n${late}\n`, { mode: 0o755 });
      const commit = [
        '--require',
        SIGNAL_AT,
        LXCV,
        'commit',
        '-P',
        box.lxc.lxcpath,
        '-m',
        'x',
        '--allow-empty',
        '--json',
        name,
      ];
      const held = ['env', `LXCV_TEST_SIGNAL=${HELD_MS} frozen`, process.execPath, ...commit] as const;
      const { version } = JSON.parse(await box.run(...held)) as { version: { pause: number } };
      expect(version.pause).toBeGreaterThanOrEqual(HELD_MS);
      expect(Math.abs(version.pause - (await frozenMs()))).toBeLessThan(200);
    } finally {
      await box.run('lxc-stop', '-P', box.lxc.lxcpath, '-n', name, '-k');
    }
  });

  it('lxc-stop ends it', async () => {
    const freezing = await box.freeze();
    await box.tool('lxc-stop', '-k');
    expect(await box.state()).toBe('STOPPED');
    expect(await looks(freezing)).toMatch(/gone|thawed/);
    await ends(freezing);
  });
});

interface Box extends AsyncDisposable {
  readonly lxc: TestLxc;
  readonly name: string;
  /** Files to which a process each appends all the time. */
  readonly logs: readonly string[];
  /** Runs a program where the layout is mounted. */
  run(program: string, ...args: string[]): Promise<string>;
  /** Runs one of LXC's tools on the container. */
  tool(program: `lxc-${string}`, ...args: string[]): Promise<string>;
  /** Runs a module with the path of lxcv's own as its first argument, then lxcpath, name and `args`. */
  node(script: string, args?: readonly string[], group?: string): ChildProcess;
  /** Freezes it, for so long at the most; by a process in this control group. */
  freeze(limitMs?: number, group?: string): Promise<ChildProcess>;
  /** The processes that would thaw it. */
  keepers(): number[];
  state(): Promise<string>;
}

/**
 * A container with a process in the group that LXC made, and its init and another one in a group below that.
 * @param beside the group of a monitor that was killed: the next one has a number behind its name, and its payload has none.
 */
async function busyContainer(
  { mount, groups }: (typeof LAYOUTS)[keyof typeof LAYOUTS],
  beside?: 'beside what was left',
): Promise<Box> {
  const lxc = temporaryLxc();
  const name = `busy-${randomBytes(4).toString('hex')}`;
  const keeper = spawn('unshare', ['-m', 'sh', '-c', `umount -R /sys/fs/cgroup; ${mount} && echo mounted && exec cat`]);
  await said(keeper, 'mounted');
  const inside = (program: string, args: readonly string[]) =>
    ['nsenter', [`--mount=/proc/${keeper.pid}/ns/mnt`, program, ...args]] as const;
  const box: Box = {
    lxc,
    name,
    logs: ['above', 'below'].map((log) => join(lxc.lxcpath, name, 'rootfs/home', log)),
    run: async (program, ...args) => {
      const { exitCode, stdout, stderr } = await lxc.program(...inside(program, args));
      if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stdout}${stderr}`);
      return stdout.trim();
    },
    tool: (program, ...args) => box.run(program, '-P', lxc.lxcpath, '-n', name, ...args),
    node: (script, args = [], group = undefined) => {
      const enter = group === undefined ? '' : `echo 0 >${group}/cgroup.procs;`;
      const words = ['--input-type=module', '-e', script, HOST_LXC, lxc.lxcpath, name, ...args];
      // As a service that is to come first when memory runs out.
      const score = 'echo 500 >/proc/self/oom_score_adj;';
      return spawn(...inside('sh', ['-c', `${score} ${enter} exec "$@"`, 'sh', process.execPath, ...words]));
    },
    freeze: async (limitMs = LONG_MS, group = undefined) => {
      const freezing = box.node(FREEZE, [`${limitMs}`], group);
      await said(freezing, 'begun');
      return freezing;
    },
    keepers: () =>
      readdirSync('/proc')
        .filter((pid) => /^\d+$/.test(pid) && isKeeper(pid, name))
        .map(Number),
    state: () => box.tool('lxc-info', '-sH'),
    async [Symbol.asyncDispose]() {
      await lxc.program(...inside('lxc-stop', ['-P', lxc.lxcpath, '-n', name, '-k']));
      keeper.stdin?.end();
      lxc[Symbol.dispose]();
    },
  };
  const left = join(groups, `lxc.monitor.${name}`);
  try {
    if (beside !== undefined) await box.run('mkdir', left);
    await fill(box, `${groups}/lxc.payload.${name}`);
    if (beside !== undefined) await box.run('rmdir', left);
    return box;
  } catch (error) {
    await box[Symbol.asyncDispose]();
    throw error;
  }
}

async function fill({ lxc, name, run, ...box }: Box, group: string): Promise<void> {
  lxc.createBase(name);
  lxc.quieten(name);
  await run('lxc-start', '-P', lxc.lxcpath, '-n', name);
  for (const log of ['above', 'below']) {
    const script = `(while :; do echo >>/home/${log}; usleep 1000; done) >/dev/null 2>&1 &`;
    await run('lxc-attach', '-P', lxc.lxcpath, '-n', name, '--', 'sh', '-c', script);
  }
  await run('mkdir', join(group, 'below'));
  const init = await run('lxc-info', '-P', lxc.lxcpath, '-n', name, '-pH');
  const writer = await run(
    'sh',
    '-c',
    `for p in $(cat $(find ${group} -name cgroup.procs)); do grep -lz below /proc/$p/cmdline; done; true`,
  );
  for (const pid of [init, writer.split('/')[2]]) {
    await run('sh', '-c', `echo ${pid} >${group}/below/cgroup.procs`);
  }
  await expectBusy({ lxc, name, run, ...box });
}

async function expectBusy({ logs }: Box): Promise<void> {
  for (const log of logs) {
    const size = sizeOf(log);
    await untilSo(
      () => sizeOf(log),
      (now) => now > size,
    );
  }
}

async function expectStill({ logs }: Box): Promise<void> {
  const sizes = logs.map(sizeOf);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(logs.map(sizeOf)).toEqual(sizes);
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}

function isKeeper(pid: string, name: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes('lxcv-keeper') && words.includes(name);
  } catch {
    return false;
  }
}

function sessionOf(pid: number): number {
  return Number(/\) \S \d+ \d+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]);
}

/** How the container is, as the process says that froze it. */
async function looks(freezing: ChildProcess): Promise<string | undefined> {
  freezing.stdin?.write('look\n');
  return /it is (\w+)/.exec(await said(freezing, 'it is '))?.[1];
}

async function ends(freezing: ChildProcess): Promise<void> {
  freezing.stdin?.end();
  await said(freezing, 'done');
}

/** Waits until a program has printed a word; fails where it ends before. Returns what it printed since the last one. */
async function said(child: ChildProcess, word: string): Promise<string> {
  let text = '';
  child.stderr?.on('data', (bytes) => {
    text += bytes;
  });
  for await (const bytes of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += bytes;
    if (text.includes(word)) return text;
  }
  throw new Error(`a program ended without a word: ${text}`);
}
