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
  tell(lxc, 'status', 'mysql');
  tell(lxc, 'status', 'mysql', '--json');
  tell(lxc, 'commit', 'mysql', '-m', 'Many');
  tell(lxc, 'log', 'mysql');
  tell(lxc, 'checkout', 'mysql@1', 'new');
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

function tell(lxc: TestLxc, command: string, ...args: string[]): void {
  const run = measure(lxc, command, ...args);
  console.log(describeRun([command, ...args].join(' '), run));
  expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: '' });
}
