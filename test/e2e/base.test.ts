import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ErrorJson, temporaryLxc } from '../support/lxc.js';

it('a base that was changed is told by every command that shows a tree, and one that runs is refused', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  const first = await lxc.lxcv('commit', '-m', 'first', 'mysql');
  expect(first).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/to protect it: lxcv commit -P \S+ base\n$/),
  });
  const base = join(lxc.lxcpath, 'base/rootfs');
  const shows = [
    ['status', 'mysql'],
    ['show', 'mysql@0'],
    ['show', 'mysql@0:/etc/release'],
    ['diff', 'mysql@0'],
    ['grep', 'x', 'mysql@0'],
    ['blame', 'mysql@0', '/etc/release'],
    ['log', 'mysql', '--', 'etc'],
    ['list'],
  ];
  writeFileSync(join(base, 'etc/release'), 'x 1.0\n');
  expect(await lxc.lxcv('commit', '--accept-base', '--allow-empty', '-m', 'second', 'mysql')).toMatchObject({
    exitCode: 0,
  });
  const told = async (args: readonly string[]) => {
    const { stdout } = await lxc.lxcv(args[0] as string, '--json', ...args.slice(1));
    const { stderr } = await lxc.lxcv(...args);
    return { args, lines: stderr.match(/was changed/g)?.length ?? 0, json: JSON.parse(stdout).baseChanged };
  };
  expect(await told(['diff', 'mysql@1'])).toMatchObject({ lines: 0, json: undefined });
  for (const args of shows.slice(1)) {
    const isOfAll = args[0] === 'list';
    expect(await told(args)).toEqual({ args, lines: isOfAll ? 0 : 1, json: isOfAll ? undefined : [base] });
  }
  lxc.expectFindings('base-changed');
  writeFileSync(join(base, 'etc/release'), 'x 2.00\n');
  for (const args of shows) expect(await told(args)).toEqual({ args, lines: 1, json: [base] });

  await lxc.start('base');
  const refused = await lxc.lxcv('commit', '--accept-base', '--allow-empty', '-m', 'third', 'mysql', '--json');
  expect([refused.exitCode, (JSON.parse(refused.stdout) as ErrorJson).error.code]).toEqual([3, 'base-running']);
  await lxc.stop('base');
  expect(await lxc.lxcv('checkout', '--accept-base', 'mysql@0', 'copy')).toMatchObject({ exitCode: 0 });
});

it('a container that stands on a directory of its own is not told to protect it', async () => {
  using lxc = temporaryLxc();
  lxc.createBase('own');
  const directory = join(lxc.lxcpath, 'own');
  mkdirSync(join(directory, 'delta0'));
  lxc.editConfig('own', (text) =>
    text.replace(/^lxc\.rootfs\.path.*$/m, `lxc.rootfs.path = overlay:${directory}/rootfs:${directory}/delta0`),
  );
  expect(await lxc.lxcv('commit', '-m', 'first', 'own')).toMatchObject({ exitCode: 0, stderr: '' });
});
