/** The last look at who has a delta mounted that becomes a version: it comes when nobody can mount it any more. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { type Engine, openEngine } from '../../src/engine.js';
import type { ContainerName } from '../../src/model/version.js';
import { interruptedHost } from '../support/interloper.js';
import { type LogJson, temporaryLxc } from '../support/lxc.js';
import { type DisposablePath, mountOverlay } from '../support/overlay.js';

const NAME = 'mysql' as ContainerName;
const author = { name: 'Ada', email: 'ada@example.org' };
const OPERATIONS: Readonly<Record<string, (engine: Engine) => Promise<unknown>>> = {
  'a commit': (engine) => engine.commit({ container: NAME, message: '', author, allowEmpty: true, acceptBase: false }),
  'a checkout in place': (engine) =>
    engine.checkout({ revision: `${NAME}@0`, detach: false, restart: false, acceptBase: false }),
};

it.each(Object.entries(OPERATIONS))('%s sees a mount of the moment before the delta is closed', async (_, run) => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', NAME);
  await lxc.commit(NAME, 'First');
  const { upper, lowers, options } = lxc.rootfs(NAME);
  writeFileSync(join(upper, 'written'), 'before');
  const before = lxc.tree(NAME);
  let isDone = false;
  let mount: DisposablePath | undefined;
  const host = interruptedHost({
    at: 0,
    matters(call) {
      const isClosing = isDone && call === `stat ${dirname(upper)}/work`;
      isDone ||= call.startsWith('exchange ') && call.includes(`${NAME}/config`);
      return isClosing;
    },
    // As a start by another path of the lxcpath, which no hold keeps off, would.
    act: () => {
      mount = mountOverlay({ upper, lowers, options });
      writeFileSync(join(mount.path, 'meanwhile'), 'by who mounted it');
    },
  });
  await expect(run(await openEngine({ lxcpath: lxc.lxcpath, host }))).rejects.toMatchObject({
    code: 'container-in-use',
  });
  expect(mount).toBeDefined();
  mount?.[Symbol.dispose]();
  expect((await lxc.json<LogJson>('log', NAME)).versions).toHaveLength(1);
  expect(lxc.rootfs(NAME).upper).toBe(upper);
  expect([...lxc.tree(NAME).keys()].sort()).toEqual([...before.keys(), 'meanwhile'].sort());
  expect(await run(await openEngine({ lxcpath: lxc.lxcpath }))).toBeDefined();
});
