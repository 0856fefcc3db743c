import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { mountRemote } from '../support/fuse.js';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';

const NAMED = (path: string) => [
  [`lxc.rootfs.path = dir:${path}/x`],
  [`lxc.rootfs.path = overlay:${path}:${path}/x:/none`],
  [`lxc.mount.entry = ${path} srv none bind`],
  [`lxc.mount.fstab = ${path}/fstab`, `lxc.rootfs.mount = ${path}/x`],
  [`lxc.hook.start-host = ${path}/hook ${path}`],
];

it('a first commit asks no server for what the configs of other containers name, be it through links', async () => {
  using remote = mountRemote();
  using lxc = temporaryLxc();
  lxc.createBase('box');
  symlinkSync(remote.path, join(lxc.directory, 'link'));
  for (const path of [remote.path, `${lxc.directory}/../${basename(lxc.directory)}/./link`]) {
    for (const lines of NAMED(path)) addOther(lxc, lines);
  }
  const hook = join(lxc.directory, 'hook');
  writeFileSync(hook, `#!/bin/sh\nmountpoint ${remote.path}\n`);
  addOther(lxc, [`lxc.hook.stop = ${hook}`]);
  expect(await lxc.lxcv('commit', 'box', '-m', 'first')).toMatchObject({ exitCode: 0 });
  expect(remote.asked).toEqual([]);
});

it('nor for a mount of its own, or what a hook of its own says', async () => {
  using remote = mountRemote();
  using lxc = temporaryLxc();
  lxc.createBase('box');
  const hook = join(lxc.directory, 'hook');
  writeFileSync(hook, `#!/bin/sh\nmountpoint ${remote.path}\n`, { mode: 0o755 });
  const lines = [`lxc.mount.entry = ${remote.path}/x srv none bind,optional`, `lxc.hook.pre-start = ${hook}`];
  lxc.editConfig('box', (text) => `${text}${lines.join('\n')}\n`);
  expect(await lxc.lxcv('commit', 'box', '-m', 'first')).toMatchObject({ exitCode: 0 });
  expect(remote.asked).toEqual([]);
});

function addOther(lxc: TestLxc, lines: readonly string[]): void {
  const directory = mkdtempSync(join(lxc.lxcpath, 'other-'));
  writeFileSync(join(directory, 'config'), `${lines.join('\n')}\n`);
}
