import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type LogJson, type StatusJson, type TestLxc, temporaryLxc } from '../support/lxc.js';

/** A path of 4,000 bytes: as deep as one can be that the kernel takes in one call. */
const DEPTH = 2000;

it('a path of 4,000 bytes, 2,000 directories deep, is committed, stopped and running, and checked out', async () => {
  using lxc = temporaryLxc();
  lxc.createBase();
  await lxc.clone('base', 'mysql');
  await lxc.json('commit', '-m', 'First', 'mysql');
  dig(lxc, 'mysql', 'stopped');
  expect(depthOf(lxc, 'mysql', 'stopped')).toBe(DEPTH);
  expect((await lxc.json<StatusJson>('status', 'mysql')).changes).toHaveLength(DEPTH);
  await lxc.json('commit', '-m', 'Stopped', 'mysql');
  lxc.quieten('mysql');
  dig(lxc, 'mysql', 'running');
  await lxc.start('mysql');
  await lxc.json('commit', '-m', 'Running', 'mysql');
  await lxc.stop('mysql');
  for (let number = 3; number < 9; number += 1) {
    await lxc.json('commit', '--allow-empty', '-m', 'Until there is a keyframe', 'mysql');
  }
  await lxc.json('checkout', 'mysql@8', 'new');
  expect(depthOf(lxc, 'new', 'stopped')).toBe(DEPTH);
  expect(depthOf(lxc, 'new', 'running')).toBe(DEPTH);
  expect((await lxc.json<LogJson>('log', 'new')).versions).toHaveLength(9);
  expect(await lxc.json('fsck')).toEqual({ findings: [] });
});

/** Half by half, since with what lies above it the whole path is longer than one call takes. */
function dig(lxc: TestLxc, name: string, top: string): void {
  using mount = lxc.mount(name);
  const half = (DEPTH - 1) >> 1;
  const [upper, lower] = [join(mount.path, top), join(mount.path, 'lower')];
  for (const [path, depth] of [
    [upper, half],
    [lower, DEPTH - 1 - half],
  ] as const) {
    mkdirSync(`${path}${'/d'.repeat(depth)}`, { recursive: true });
  }
  renameSync(`${lower}/d`, `${upper}${'/d'.repeat(half)}/d`);
  rmdirSync(lower);
}

function depthOf(lxc: TestLxc, name: string, top: string): number {
  using mount = lxc.mount(name);
  const found = execFileSync('find', [top, '-type', 'd'], { cwd: mount.path, encoding: 'utf8', maxBuffer: 1 << 26 });
  return found.trimEnd().split('\n').length;
}
