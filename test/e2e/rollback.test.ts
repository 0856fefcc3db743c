import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mountDisk } from '../support/disk.js';
import { type CheckoutJson, type ErrorJson, type TestLxc, temporaryLxc } from '../support/lxc.js';
import { expectSameTree } from '../support/tree.js';

interface SetAside {
  readonly container: string;
  readonly path: string;
  readonly version: string;
  readonly time: string;
  readonly reason: string;
}

/** What root of a container does there that must keep nobody from going back. */
const HAVOC = `
cd /; echo evil >evil; rm -rf /home; mkdir home; echo evil >etc/passwd
for name in working.json manifest.json .lxcv-staged delta work aside; do echo evil >$name; done
mknod null-null c 0 0; mkfifo fifo; ln -s / etc/link
cd /home; i=0; while [ $i -lt 3000 ]; do mkdir d; cd d; i=$((i+1)); done`;

it('takes a container back in one command, whatever its root did there', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  const first = await lxc.commit('mysql', 'first');
  await lxc.start('mysql');
  await lxc.tool('lxc-attach', '-n', 'mysql', '--', 'sh', '-c', HAVOC);
  const { pid } = await lxc.info('mysql');
  for (const [flag, path] of [
    ['+i', 'etc/passwd'],
    ['+a', 'home'],
    ['+i', 'etc'],
    ['+i', ''],
  ]) {
    execFileSync('chattr', [flag as string, `/proc/${pid}/root/${path}`]);
  }
  const { upper } = lxc.rootfs('mysql');

  const commit = await lxc.lxcv('commit', '-m', 'no', 'mysql', '--json');
  expect((JSON.parse(commit.stdout) as ErrorJson).error.code).toBe('delta-not-keepable');
  const checkout = await lxc.json<CheckoutJson & { setAside: SetAside }>('checkout', '--restart', 'mysql@0');
  expect(checkout).toMatchObject({ version: { number: 0 }, setAside: { path: upper, reason: expect.any(String) } });
  expect(checkout.saved).toBeUndefined();

  expect((await lxc.info('mysql')).state).toBe('RUNNING');
  expect(await lxc.attach('mysql', 'ls -d /evil /home/d 2>&1; cat /etc/passwd')).not.toContain('evil\n');
  expect(readFileSync(join(upper, 'evil'), 'utf8')).toBe('evil\n');
  expect(existsSync(join(upper, '../working.json'))).toBe(false);
  const { setAside } = await lxc.json<{ setAside: SetAside[] }>('list');
  expect(setAside).toEqual([
    { ...checkout.setAside, container: 'mysql', version: first.id, time: expect.stringMatching(/^2/) },
  ]);
  expect((await lxc.lxcv('list')).stdout).toContain(`mysql: ${upper}`);
  expect(await lxc.lxcv('fsck')).toMatchObject({ exitCode: 0 });
  expect(await lxc.lxcv('commit', '--allow-empty', '-m', 'again', 'mysql')).toMatchObject({ exitCode: 0 });
});

describe('a container that has filled the disk', () => {
  it('is taken back where a few small files fit, and else it is said what can be freed', async () => {
    using disk = mountDisk('ext4');
    using lxc = await withFilled(disk.path);
    const delta = lxc.rootfs('web').upper;
    const { message, hint } = await refusalOf(lxc, 'checkout', 'web@0');
    expect(message).toContain('the checkout of web may need 32.0 KiB, and no more space is left');
    expect(sh(/du -xah .* tail/.exec(hint)?.[0] ?? 'false')).toContain(`${delta}/big`);

    // Of so small an ext4 more is taken to be kept from everybody than is.
    free(delta, 140 << 10);
    const { version, saved } = await lxc.json<CheckoutJson>('checkout', 'web@0');
    expect([version.number, saved?.number]).toEqual([0, 1]);
  });

  it('stays as it is where the file system needs more than it says', async () => {
    using disk = mountDisk('xfs');
    using lxc = await withFilled(disk.path);
    const delta = lxc.rootfs('web').upper;
    free(delta, 40 << 10);
    const before = lxc.tree('web');
    const { message, hint } = await refusalOf(lxc, 'checkout', 'web@0');
    expect(message).toMatch(/^the checkout of web found no space left on the device \(ENOSPC/);
    expect(hint).toContain(`du -xah ${delta}`);
    expect(await lxc.lxcv('fsck')).toMatchObject({ exitCode: 0 });
    expectSameTree(lxc.tree('web'), before);
  });
});

async function withFilled(directory: string): Promise<TestLxc> {
  const lxc = temporaryLxc(directory);
  const container = join(lxc.lxcpath, 'web');
  mkdirSync(join(container, 'rootfs/etc'), { recursive: true });
  writeFileSync(join(container, 'config'), `lxc.rootfs.path = dir:${container}/rootfs\nlxc.uts.name = web\n`);
  await lxc.commit('web', 'first');
  const delta = lxc.rootfs('web').upper;
  for (const bytes of ['64k', '1k', '1k']) sh(`dd if=/dev/zero bs=${bytes} >>${delta}/big; sync -f ${delta}`);
  return lxc;
}

/** What the container filled the disk with gets shorter. */
function free(delta: string, bytes: number): void {
  truncateSync(join(delta, 'big'), statSync(join(delta, 'big')).size - bytes);
  sh(`sync -f ${delta}`);
}

async function refusalOf(lxc: TestLxc, ...args: string[]): Promise<ErrorJson['error']> {
  const { exitCode, stdout } = await lxc.lxcv(...args, '--json');
  const { error } = JSON.parse(stdout) as ErrorJson;
  expect([exitCode, error.code]).toEqual([1, 'no-space']);
  return error;
}

function sh(line: string): string {
  return spawnSync('sh', ['-c', line], { encoding: 'utf8' }).stdout;
}
