import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { TestLxc } from '../support/lxc.js';
import { interleaved, took } from './measure.js';
import { type Row, reportRows, under } from './report.js';
import { commitFile, diskOf, IS_QUICK, versioned, writeInto } from './work.js';

const ROUNDS = IS_QUICK ? 5 : 61;
const COMMITS = IS_QUICK ? 60 : 1_000;
/** Among so many commits in a row is one after which it has the most layers. */
const CYCLE = 4;
/** Lines of the shell of busybox. */
const FIND = 'find / -xdev >/dev/null';
const MISS = 'i=0; while [ $i -lt 1000 ]; do [ -e /none$i ]; i=$((i+1)); done';

const rows: Row[] = [];
afterAll(() => reportRows('container', rows));

it('leaves a container as fast as it was', async () => {
  using lxc = await versioned('many');
  const layers: number[] = [];
  const before = diskOf(lxc.store);
  for (let number = 1; number <= COMMITS || layers.at(-1) !== Math.max(...layers.slice(-CYCLE)); number += 1) {
    await commitFile(lxc, 'many', `${number}`);
    layers.push(countLayers(lxc, 'many'));
  }
  const grown = (diskOf(lxc.store) - before) / layers.length;
  const bare = diskOf(dirname(newestDelta(lxc, 'many')), '--exclude=keyframe-*');
  rows.push({
    ...{ what: `disk, for each of ${COMMITS.toLocaleString('en')} commits of one small file`, lxcv: grown },
    ...{ peer: 'its manifest, its directories and the file', peerTook: bare, isBytes: true },
  });
  await commitAtOnce(lxc, 'many', 'once');
  for (const name of ['many', 'once']) lxc.quieten(name);
  // Each round starts them anew, so that the kernel knows nothing of what is looked up.
  const [many, single] = [measures(lxc, 'many'), measures(lxc, 'once')];
  const medians = await interleaved(ROUNDS, {
    ...{ startMany: many.start, findMany: many.find, missMany: many.miss, stopMany: many.stop },
    ...{ startOnce: single.start, findOnce: single.find, missOnce: single.miss, stopOnce: single.stop },
  });
  const after = `after ${COMMITS.toLocaleString('en')} commits (${countLayers(lxc, 'many')} layers)`;
  const peer = { peer: 'the same files in one layer', bar: 'at most 1.05', reached: under(1.05) };
  rows.push({
    ...{ what: `\`lxc-start\` and \`lxc-stop -k\` ${after}`, lxcv: medians.startMany + medians.stopMany },
    ...{ peerTook: medians.startOnce + medians.stopOnce, ...peer },
  });
  rows.push({
    ...{ what: `\`find / -xdev\` ${after}`, lxcv: medians.findMany, peerTook: medians.findOnce, ...peer },
  });
  rows.push({
    ...{
      what: `1,000 names that are not there, ${after}`,
      lxcv: medians.missMany,
      peerTook: medians.missOnce,
      ...peer,
    },
  });
});

/** Makes a container that holds in one layer what another one's versions brought. */
async function commitAtOnce(lxc: TestLxc, from: string, name: string): Promise<void> {
  await lxc.clone('base', name);
  using source = lxc.mount(from);
  writeInto(lxc, name, (root) => cpSync(join(source.path, 'home'), join(root, 'home'), { recursive: true }));
  await lxc.commit(name, 'All at once');
  expect(countLayers(lxc, name)).toBe(1);
}

/** Right after a commit the newest layer of a container is its version's delta. */
function newestDelta(lxc: TestLxc, name: string): string {
  return lxc.rootfs(name).lowers[0] as string;
}

/** Of versions: below them are the base and the guard that lxcv lays under it. */
function countLayers(lxc: TestLxc, name: string): number {
  return lxc.rootfs(name).lowers.length - 2;
}

/** The steps of a round, in their order; each returns milliseconds. */
function measures(lxc: TestLxc, name: string) {
  const names = ['-P', lxc.lxcpath, '-n', name] as const;
  return {
    start: () => took(['lxc-start', ...names]),
    find: () => tookInside(names, FIND),
    miss: () => tookInside(names, MISS),
    stop: () => took(['lxc-stop', ...names, '-k']),
  };
}

/** Runs a line in a container, by a shell that is there already. @returns milliseconds. */
async function tookInside(names: readonly string[], line: string): Promise<number> {
  const shell = spawn('lxc-attach', [...names, '--clear-env', '--', 'sh'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = once(shell, 'close');
  const say = async (script: string) => {
    shell.stdin.write(script);
    await once(shell.stdout, 'data');
  };
  await say('echo ready\n');
  const started = performance.now();
  await say(`${line}; echo done\n`);
  const ms = performance.now() - started;
  shell.stdin.end();
  await exit;
  return ms;
}
