import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type CheckoutJson, type ErrorJson, temporaryLxc } from '../support/lxc.js';

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
