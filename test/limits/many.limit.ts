import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';
import { describeRun, fillDelta, lengthenHistory, measure } from '../support/many.js';

it('10,000 versions', async () => {
  using lxc = await withVersion();
  lengthenHistory(lxc, 10_000);
  tell(lxc, 'checkout', 'mysql@mysql');
  tell(lxc, 'log', 'mysql');
  tell(lxc, 'log', 'mysql', '-n', '20');
  tell(lxc, 'list');
  tell(lxc, 'status', 'mysql');
  tell(lxc, 'commit', 'mysql', '--allow-empty', '-m', 'One more');
  tell(lxc, 'checkout', 'mysql@5000', 'new');
  tell(lxc, 'branch', 'mysql', 'older', 'mysql@77');
  tell(lxc, 'fsck');
});

it('1,000,000 files in a delta', async () => {
  using lxc = await withVersion();
  await lxc.checkout('mysql@0', 'live');
  fillDelta(lxc.rootfs('mysql').upper, 1000);
  writeLarge(lxc, 1);
  tell(lxc, 'status', 'mysql');
  tell(lxc, 'status', 'mysql', '-v');
  tell(lxc, 'status', 'mysql', '--json');
  tell(lxc, 'commit', 'mysql', '-m', 'Many');
  tell(lxc, 'log', 'mysql');
  tell(lxc, 'show', 'mysql');
  tell(lxc, 'show', 'mysql', '--json');
  for (const form of ['--name-status', '--stat', '--metadata', '--json', '-p']) tell(lxc, 'diff', 'mysql@0', form);
  tell(lxc, 'diff', 'mysql', 'mysql@0', '--json');
  tell(lxc, 'log', 'mysql', '--', '/large');
  tell(lxc, 'list');
  tell(lxc, 'export', 'mysql', '-o', join(lxc.directory, 'exported'));
  writeLarge(lxc, 2);
  tell(lxc, 'status', 'mysql');
  tell(lxc, 'commit', 'mysql', '-m', 'One of many');
  tell(lxc, 'show', 'mysql');
  tell(lxc, 'diff', 'mysql@1', 'mysql@2');
  tell(lxc, 'checkout', 'mysql@1', 'new');
  tell(lxc, 'checkout', 'mysql@0');
  tell(lxc, 'fsck');
  lxc.quieten('live');
  fillDelta(lxc.rootfs('live').upper, 1000);
  await lxc.start('live');
  tell(lxc, 'commit', 'live', '-m', 'Many, running');
  tell(lxc, 'commit', 'live', '--allow-empty', '-m', 'The same once more');
});

async function withVersion(): Promise<TestLxc> {
  const lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  await lxc.commit('mysql', 'First');
  return lxc;
}

/** A file of 10 MB that holds nothing but a number. */
function writeLarge(lxc: TestLxc, number: number): void {
  writeFileSync(join(lxc.rootfs('mysql').upper, 'large'), Buffer.alloc(10 << 20, number));
}

function tell(lxc: TestLxc, command: string, ...args: string[]): void {
  const run = measure(lxc, command, ...args);
  console.log(describeRun([command, ...args].join(' '), run));
  expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: '' });
}
