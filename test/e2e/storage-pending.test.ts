/** Storage that fails, for real, behind the commit point of an operation. See docs/decisions/0018-pending-operations.md. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mountDisk } from '../support/disk.js';
import { type ErrorJson, type LogJson, LXCV, type TestLxc, temporaryLxc } from '../support/lxc.js';
import type { DisposablePath } from '../support/overlay.js';

const STRIKE = fileURLToPath(new URL('../support/strike.cjs', import.meta.url));

/** An exchange, or a rename, and what makes it durable. */
const POINT = 'renameat2 fsyncSync';
/** Then the config that came out of the exchange is gone too: what it took up is free before the disk is filled. */
const SETTLED = `${POINT} unlinkSync:/.config.lxcv`;
/** What a commit frees comes back with a sync; so it is filled until that gives no more. */
const FILL = 'for bytes in 64k 1k 1k 1k; do dd if=/dev/zero bs=$bytes >>$DISK/filler 2>/dev/null; sync -f $DISK; done';
const DEVICE = '$(basename $(findmnt -no SOURCE $DISK))';

interface Case {
  readonly command?: readonly string[];
  readonly calls?: string;
  /** Lines of sh(1). */
  readonly strike: string;
  /** By default what the hint says. */
  readonly heal?: string;
  readonly cause: RegExp;
  readonly hint: RegExp;
  /** It could not so much as close the delta, and was not done. */
  readonly isRolledBack?: true;
}

const FULL = {
  strike: FILL,
  heal: 'rm $DISK/filler',
  cause: /no space is left on the device/,
  hint: /Free some space/,
};
const IMMUTABLE = { cause: /the system does not permit it/, hint: /chattr -f -i/ };
const READ_ONLY = { cause: /the file system is read-only/, hint: /mount -o remount,rw/ };

const CASES: Readonly<Record<string, Case>> = {
  'a disk that is full, for a commit': { ...FULL, calls: SETTLED },
  'a disk that is full, for a checkout in place': { ...FULL, calls: SETTLED, command: ['checkout', 'web@0'] },
  'a file system that is mounted read-only when lxcv is dead': {
    ...READ_ONLY,
    strike: 'kill -KILL $PPID; while kill -0 $PPID; do sleep 0.1; done; mount -o remount,ro $DISK',
  },
  'a file system that becomes read-only by an error': {
    ...READ_ONLY,
    strike: `echo 1 >/sys/fs/ext4/${DEVICE}/trigger_fs_error`,
    // What was in its journal is there again.
    heal: 'umount $DISK; e2fsck -fp $DISK/../image; mount -o loop,errors=remount-ro $DISK/../image $DISK',
  },
  'an immutable record of the working delta': { ...IMMUTABLE, strike: 'chattr +i $STORE/web/versions/*/working.json' },
  'immutable directories of the versions': {
    ...IMMUTABLE,
    strike: 'chattr +i $STORE/web/versions/*',
    isRolledBack: true,
  },
  'an immutable directory of branches': { ...IMMUTABLE, strike: 'chattr +i $STORE/web/refs/heads' },
  "an immutable directory of the container's": { ...IMMUTABLE, strike: 'chattr +i $LXC/web' },
};

let disk: DisposablePath;
let lxc: TestLxc;
let written = 0;

beforeAll(async () => {
  disk = mountDisk('ext4');
  execFileSync('mount', ['-o', 'remount,errors=remount-ro', disk.path]);
  lxc = temporaryLxc(disk.path);
  for (const name of ['web', 'other']) {
    const directory = join(lxc.lxcpath, name);
    mkdirSync(join(directory, 'rootfs/etc'), { recursive: true });
    writeFileSync(join(directory, 'rootfs/etc/hosts'), 'localhost\n');
    writeFileSync(join(directory, 'config'), `lxc.rootfs.path = dir:${directory}/rootfs\nlxc.uts.name = ${name}\n`);
    await lxc.commit(name, 'first');
  }
});
afterAll(() => {
  try {
    lxc[Symbol.dispose]();
  } finally {
    disk[Symbol.dispose]();
  }
});

it.each(Object.entries(CASES))('is told as what an operation waits for: %s', async (_, each) => {
  const { command = ['commit', '-m', 'again', 'web'], calls = POINT, strike, heal, isRolledBack } = each;
  written += 1;
  writeFileSync(join(lxc.rootfs('web').upper, 'written'), `${written}`);
  const before = (await versions()).length;
  const struck = spawnSync(process.execPath, ['--require', STRIKE, LXCV, ...command, '-P', lxc.lxcpath, '--json'], {
    env: { ...environment(), LXCV_TEST_CALLS: calls, LXCV_TEST_STRIKE: strike },
    encoding: 'utf8',
  });
  let made: string | undefined;
  if (struck.signal === null) {
    expect(struck.stderr).toBe('');
    const { error } = JSON.parse(struck.stdout) as { error: ErrorJson['error'] & { data?: { id: string } } };
    if (!isRolledBack) expectPending(error, each);
    if (!isRolledBack && command[0] === 'commit') made = error.data?.id ?? 'a version that is not told';
  }
  try {
    await expectRead(each);
    await expectRefused(each);
  } finally {
    // Healed whatever became of it, for the cases after this one.
    for (let hint = await waiting(), tries = 0; hint !== undefined && tries < 5; hint = await waiting(), tries += 1) {
      sh(heal ?? hint.replace(/^Something may be immutable: |, then run any lxcv command.*/g, ''));
    }
  }
  const after = await versions();
  expect(after).toHaveLength(isRolledBack ? before : before + 1);
  if (made !== undefined) expect(after[0]?.id).toBe(made);
  expect(await lxc.json('fsck')).toEqual({ findings: [] });
});

/** What can be read is read, with exit codes and one word about what waits. */
async function expectRead(each: Case): Promise<void> {
  const { cause, hint } = each;
  const [log, show, status, list, statusOfAll, fsck, other] = await Promise.all([
    lxc.lxcv('log', 'web'),
    lxc.lxcv('show', 'web'),
    lxc.lxcv('status', 'web', '--json'),
    lxc.lxcv('list', '--json'),
    lxc.lxcv('status', '--all'),
    lxc.lxcv('fsck', '--json'),
    lxc.lxcv('log', 'other'),
  ]);
  for (const one of [log, show, status]) {
    expect(one).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/web|first/) });
    expect(one.stderr).toMatch(cause);
    expect(one.stderr).toMatch(hint);
    expect(one.stderr.match(/\n/g)).toHaveLength(1);
  }
  expect(JSON.parse(status.stdout)).toMatchObject({ container: 'web', version: { number: expect.any(Number) } });
  expect(list.exitCode).toBe(1);
  const { containers, errors } = JSON.parse(list.stdout);
  expect(containers.map(({ name }: { name: string }) => name)).toEqual(['other', 'web']);
  expect(errors).toHaveLength(1);
  expectPending(errors[0].error, each);
  expect(statusOfAll).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/On branch other/) });
  expect(statusOfAll.stderr).toMatch(cause);
  expect(fsck.exitCode).toBe(1);
  const { findings } = JSON.parse(fsck.stdout);
  expect(findings).toHaveLength(1);
  expectPending(findings[0], each);
  expect(other).toMatchObject({ exitCode: 0, stderr: '' });
  for (const { stdout, stderr } of [log, show, status, list, statusOfAll, fsck]) {
    expect(`${stdout}${stderr}`).not.toMatch(/damaged|missing|is gone|backup|lxcv did not make|\n {4}at /);
  }
}

async function expectRefused(each: Case): Promise<void> {
  const outcomes = await Promise.all([
    lxc.lxcv('checkout', 'web@0', '--json'),
    lxc.lxcv('branch', 'web', 'new', '--json'),
  ]);
  for (const { exitCode, stdout, stderr } of outcomes) {
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expectPending((JSON.parse(stdout) as ErrorJson).error, each);
  }
  const { exitCode, stderr } = await lxc.lxcv('commit', '-m', 'more', 'web');
  expect(exitCode).toBe(1);
  expect(stderr.match(/\n/g)).toHaveLength(2);
}

function expectPending(error: ErrorJson['error'], { cause, hint, isRolledBack }: Case): void {
  expect(error).toMatchObject({ code: 'operation-pending', message: expect.stringMatching(cause) });
  expect(error.message).toMatch(isRolledBack ? /waits to be rolled back/ : /is done, but its last steps/);
  expect(error.hint).toMatch(hint);
}

/** How to go on, as the hint of a command has it that is refused; undefined where nothing waits any more. */
async function waiting(): Promise<string | undefined> {
  const { errors } = JSON.parse((await lxc.lxcv('list', '--json')).stdout);
  return errors[0]?.error.hint;
}

async function versions(): Promise<LogJson['versions']> {
  return (await lxc.json<LogJson>('log', '--all', 'web')).versions;
}

function sh(line: string): void {
  spawnSync('sh', ['-c', line], { env: environment(), encoding: 'utf8' });
}

function environment() {
  return { PATH: process.env.PATH, HOME: lxc.directory, DISK: disk.path, STORE: lxc.store, LXC: lxc.lxcpath };
}
