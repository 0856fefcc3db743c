/** The freezer under both layouts of control groups, each mounted where only this test sees it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';
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
/** Freezes until its input ends. */
const FREEZE = `
const { lxc } = await import(process.argv[1]);
const freeze = await lxc.freeze(process.argv[2], process.argv[3]);
console.log('frozen');
for await (const _ of process.stdin);
await freeze[Symbol.asyncDispose]();
console.log('thawed');`;
const THAW = 'const { lxc } = await import(process.argv[1]); lxc.thaw(process.argv[2], process.argv[3]);';

describe.each(Object.entries(LAYOUTS))('with control groups of %s', (_, layout) => {
  it('a container is frozen whole, LXC comes to know of it, and it goes on in the end', async () => {
    await using box = await busyContainer(layout);
    const freezing = box.node(FREEZE);
    await said(freezing, 'frozen');
    await expectStill(box);
    await until(box.state, 'FROZEN');
    freezing.stdin?.end();
    await said(freezing, 'thawed');
    await expectBusy(box);
    expect(await box.state()).toBe('RUNNING');
  });

  it('lxc-unfreeze thaws it, and lxc-stop ends it', async () => {
    await using box = await busyContainer(layout);
    const freezing = box.node(FREEZE);
    await until(box.state, 'FROZEN');
    await box.run('lxc-unfreeze', '-P', box.lxc.lxcpath, '-n', box.name);
    await expectBusy(box);
    freezing.stdin?.end();
    await said(freezing, 'thawed');
    const again = box.node(FREEZE);
    await said(again, 'frozen');
    await box.run('lxc-stop', '-P', box.lxc.lxcpath, '-n', box.name, '-k');
    expect(await box.state()).toBe('STOPPED');
    again.stdin?.end();
    await once(again, 'exit');
  });

  it('it goes on when lxcv is killed, and when its keeper was killed too and lxcv is run again', async () => {
    await using box = await busyContainer(layout);
    const first = box.node(FREEZE);
    await said(first, 'frozen');
    first.kill('SIGKILL');
    await expectBusy(box);

    const second = box.node(FREEZE);
    await said(second, 'frozen');
    // All that could thaw it, at once: they are a session of their own.
    await box.run('sh', '-c', `kill -9 -$(cat /proc/${second.pid}/task/*/children)`);
    second.kill('SIGKILL');
    await expectStill(box);
    // LXC comes to know of a freeze that lasts, and may have before the keeper was killed.
    expect(['RUNNING', 'FROZEN']).toContain(await box.state());
    const [code] = (await once(box.node(THAW), 'exit')) as [number];
    expect(code).toBe(0);
    await expectBusy(box);
  });
});

interface Box extends AsyncDisposable {
  readonly lxc: TestLxc;
  readonly name: string;
  /** Files to which a process each appends all the time. */
  readonly logs: readonly string[];
  /** Runs a program where the layout is mounted. */
  run(program: string, ...args: string[]): Promise<string>;
  /** Runs a module with the path of lxcv's own as its first argument, then lxcpath and name. */
  node(script: string): ChildProcess;
  state(): Promise<string>;
}

/** A container with a process in the group that LXC made, and its init and another one in a group below that. */
async function busyContainer({ mount, groups }: (typeof LAYOUTS)[keyof typeof LAYOUTS]): Promise<Box> {
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
      if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stderr}`);
      return stdout.trim();
    },
    node: (script) =>
      spawn(...inside(process.execPath, ['--input-type=module', '-e', script, HOST_LXC, lxc.lxcpath, name])),
    state: () => box.run('lxc-info', '-P', lxc.lxcpath, '-n', name, '-sH'),
    async [Symbol.asyncDispose]() {
      await lxc.program(...inside('lxc-stop', ['-P', lxc.lxcpath, '-n', name, '-k']));
      keeper.stdin?.end();
      lxc[Symbol.dispose]();
    },
  };
  try {
    await fill(box, `${groups}/lxc.payload.${name}`);
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

/** Waits until a program has printed a word; fails where it ends before. */
async function said(child: ChildProcess, word: string): Promise<void> {
  let text = '';
  child.stderr?.on('data', (bytes) => {
    text += bytes;
  });
  for await (const bytes of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += bytes;
    if (text.includes(word)) return;
  }
  throw new Error(`a program ended without a word: ${text}`);
}
