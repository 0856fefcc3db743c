import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, it } from 'vitest';
import { formatNumber } from '../../src/model/units.js';
import type { TestLxc } from '../support/lxc.js';
import { fillDelta, lengthenHistory, measure } from '../support/many.js';
import { interleaved, lxcv, took } from './measure.js';
import { type Growth, reportGrowths, type Sample } from './report.js';
import { drawChart } from './svg.js';
import { IS_QUICK, tookToCommit, versioned } from './work.js';

const VERSIONS = [10, 100, 1_000, ...(IS_QUICK ? [] : [10_000])];
const FILES = [1_000, 10_000, ...(IS_QUICK ? [] : [100_000, 1_000_000])];
const BYTES = [1e6, 10e6, 100e6, ...(IS_QUICK ? [] : [1e9, 10e9])];
const FILES_IN_DIRECTORY = 1_000;
const DRAWING = fileURLToPath(new URL('../../docs/growth.svg', import.meta.url));

const growths: Growth[] = [];
afterAll(() => {
  reportGrowths('growth', growths);
  if (!IS_QUICK) writeFileSync(DRAWING, draw());
});

it('grows with versions', async () => {
  const samples = await inTurn(VERSIONS, measureVersions);
  growths.push({ of: 'versions', describeAmount: formatNumber, peakOf: '`log`', samples });
});

it('grows with files in the delta', async () => {
  const samples = await inTurn(FILES, measureFiles);
  growths.push({ of: 'files in the delta', describeAmount: formatNumber, peakOf: '`status`', samples });
});

it('grows with bytes in the delta', async () => {
  const samples = await inTurn(BYTES, measureBytes, 3);
  growths.push({ of: 'bytes in the delta', describeAmount: describeBytes, samples });
});

/** Measures one amount after the other; the largest once if not told otherwise, for it takes as long as all others together. */
async function inTurn(
  amounts: readonly number[],
  measureOne: (amount: number, rounds: number) => Promise<Sample>,
  roundsOfLargest = 1,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const amount of amounts) samples.push(await measureOne(amount, amount === amounts.at(-1) ? roundsOfLargest : 3));
  return samples;
}

async function measureVersions(amount: number, rounds: number): Promise<Sample> {
  using lxc = await versioned('mysql');
  lengthenHistory(lxc, amount);
  took(lxcv(lxc.lxcpath, 'checkout', 'mysql@mysql'));
  const { peakMib } = measure(lxc, 'log', 'mysql');
  let made = 0;
  const times = await interleaved(rounds, {
    '`log -n 20`': () => took(lxcv(lxc.lxcpath, 'log', '-n', '20', 'mysql')),
    '`log`': () => took(lxcv(lxc.lxcpath, 'log', 'mysql')),
    '`checkout`': () => took(lxcv(lxc.lxcpath, 'checkout', 'mysql@HEAD', `new-${made++}`)),
    '`commit`': () => {
      writeFileSync(join(lxc.rootfs('mysql').upper, `new-${made}`), 'new');
      return commit(lxc, 'mysql');
    },
  });
  return { amount, took: times, peakMib };
}

async function measureFiles(amount: number, rounds: number): Promise<Sample> {
  using lxc = await versioned('web');
  let [round, peakMib] = [0, 0];
  const times = await interleaved(rounds, {
    '`status`': () => {
      // Under a new name each time, so that each round adds as many files.
      fillDelta(join(lxc.rootfs('web').upper, `round-${round++}`), amount / FILES_IN_DIRECTORY);
      const run = measure(lxc, 'status', 'web');
      if (run.exitCode !== 0) throw new Error(`status ended with ${run.exitCode}: ${run.stderr}`);
      peakMib = Math.max(peakMib, run.peakMib);
      return run.seconds * 1000;
    },
    '`commit`': () => commit(lxc, 'web'),
  });
  return { amount, took: times, peakMib };
}

async function measureBytes(amount: number, rounds: number): Promise<Sample> {
  using lxc = await versioned('web');
  let made = 0;
  const times = await interleaved(rounds, {
    '`commit`': () => {
      execFileSync('sh', ['-c', `head -c ${amount} /dev/urandom >${lxc.rootfs('web').upper}/large-${made}`]);
      return commit(lxc, 'web');
    },
    '`checkout`': () => took(lxcv(lxc.lxcpath, 'checkout', 'web', `new-${made++}`)),
  });
  return { amount, took: times };
}

/** @returns the milliseconds until the container may start again, with what it commits on disk before. */
async function commit(lxc: TestLxc, name: string): Promise<number> {
  execFileSync('sync', ['-f', lxc.directory]);
  return (await tookToCommit(lxc, name)).free;
}

function draw(): string {
  return drawChart({
    title: 'How long commands take with more versions, files and bytes',
    describeY: (ms) => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`),
    panels: growths.map(({ of, describeAmount, samples }) => ({
      title: of,
      describeX: describeAmount,
      lines: Object.keys(samples[0]?.took ?? {}).map((command) => ({
        name: command.replaceAll('`', ''),
        points: samples.map(({ amount, took }) => ({ x: amount, y: took[command] as number })),
      })),
    })),
  });
}

/** `10 MB`, of a power of ten. */
function describeBytes(bytes: number): string {
  return bytes < 1e9 ? `${bytes / 1e6} MB` : `${bytes / 1e9} GB`;
}
