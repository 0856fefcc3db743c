/** What a bench measured, as a table: printed, and written between two marks of docs/performance.md, a pair for each bench. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { formatBytes, formatNumber } from '../../src/model/units.js';
import { IS_QUICK } from './work.js';

/** A bench, by the name that its marks bear: `<!-- measured NAME: begin -->`. */
type Section = 'peers' | 'tools' | 'container' | 'growth' | 'history';

export interface Row {
  readonly what: string;
  /** In milliseconds, or bytes where it is about them. */
  readonly lxcv: number;
  readonly peer: string;
  /** In the same unit. */
  readonly peerTook: number;
  readonly isBytes?: boolean;
  /** Left out where a peer is only there to be looked at. */
  readonly bar?: string;
  /** Whether the bar is reached, by lxcv's time over the peer's. */
  readonly reached?: (ratio: number) => boolean;
}

/** What commands took with more and more of something. */
export interface Growth {
  /** What there is more of. */
  readonly of: string;
  readonly describeAmount: (amount: number) => string;
  /** The command whose memory was measured, where one's was. */
  readonly peakOf?: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly amount: number;
  /** In milliseconds, by command: the same ones in all samples. */
  readonly took: Readonly<Record<string, number>>;
  readonly peakMib?: number;
}

/** A step of a history, and how long each way took to keep what came of it. Times are milliseconds. */
export interface HistoryStep {
  readonly name: string;
  /** What lxcv tells of it. */
  readonly version: { readonly changes: { added: number; modified: number; removed: number; bytes: number } };
  /** Until the container may start again. */
  readonly free: number;
  /** Until the commit says that it is done. */
  readonly said: number;
  /** By the name of the other way. */
  readonly peers: Readonly<Record<string, number>>;
}

export interface HistoryResult {
  readonly steps: readonly HistoryStep[];
  /** Bytes on disk in the end, by name. */
  readonly kept: Readonly<Record<string, number>>;
  /** lxcv's way back to a state, and lxc-snapshot's: the medians over all steps, in milliseconds. */
  readonly checkout: number;
  readonly restore: number;
}

const DOCUMENT = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

export function reportRows(section: Section, rows: readonly Row[]): void {
  report(section, renderRows(rows));
}

export function reportGrowths(section: Section, growths: readonly Growth[]): void {
  report(section, growths.map(renderGrowth).join('\n\n'));
}

export function reportHistory({ steps, kept, checkout, restore }: HistoryResult): void {
  const peers = Object.keys(steps[0]?.peers ?? {});
  const head = ['step', 'paths', 'bytes', 'lxcv, may start again', 'lxcv, says so', ...peers];
  const lines = steps.map(({ name, version: { changes }, free, said, peers: times }) => [
    ...[name, formatNumber(changes.added + changes.modified + changes.removed), formatBytes(changes.bytes)],
    ...[free, said, ...peers.map((peer) => times[peer] as number)].map(time),
  ]);
  const sizes = [
    'on disk in the end',
    '',
    '',
    formatBytes(kept.lxcv ?? 0),
    '',
    ...peers.map((peer) => formatBytes(kept[peer] ?? 0)),
  ];
  const table = [head, head.map(() => '---'), ...lines, sizes].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const back = `A checkout of a step to a new name took ${time(checkout)}, \`lxc-snapshot -r\` ${time(restore)} (medians over the steps).`;
  report('history', `${table}\n\n${back}`);
}

/** Prints what a bench measured, and writes it into the document where the bench was a full one. */
function report(section: Section, tables: string): void {
  console.log(`\n${describeMachine()}\n\n${tables}\n`);
  if (!IS_QUICK) writeSection(section, tables);
}

/** A bar: lxcv takes at most so many times what the peer takes. */
export function under(most: number): (ratio: number) => boolean {
  return (ratio) => ratio <= most;
}

function renderRows(rows: readonly Row[]): string {
  const lines = rows.map(({ what, lxcv, peer, peerTook, isBytes, bar = '-', reached }) => {
    const show = isBytes ? formatBytes : time;
    const ratio = lxcv / peerTook;
    const told = ratio < 1 ? `1/${(1 / ratio).toFixed(1)}` : ratio.toFixed(2);
    // The bars are for the amounts of a full run.
    const verdict = reached === undefined || IS_QUICK ? '-' : reached(ratio) ? 'yes' : 'no';
    return `| ${what} | ${show(lxcv)} | ${peer}: ${show(peerTook)} | ${told} | ${bar} | ${verdict} |`;
  });
  return ['| what | lxcv | peer | ratio | bar | reached |', '| --- | --- | --- | --- | --- | --- |', ...lines].join(
    '\n',
  );
}

/** A table with a line for each amount, and a column for each command. */
function renderGrowth({ of, describeAmount, peakOf, samples }: Growth): string {
  const commands = Object.keys(samples[0]?.took ?? {});
  const memory = peakOf === undefined ? [] : [`memory of ${peakOf}`];
  const head = [of, ...commands, ...memory];
  const lines = samples.map(({ amount, took, peakMib }) => [
    describeAmount(amount),
    ...commands.map((command) => time(took[command] as number)),
    ...(peakMib === undefined ? [] : [`${peakMib.toFixed(0)} MiB`]),
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** What machine it was. */
function describeMachine(): string {
  const kernel = execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim();
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${memory} GiB, ${kernel}, Node ${process.version}`;
}

/** Between the two marks that a section has, below what machine it was. */
function writeSection(section: Section, tables: string): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [`<!-- measured ${section}: begin -->`, `<!-- measured ${section}: end -->`];
  const [before, rest = ''] = text.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`${DOCUMENT} has no ${begin} with ${end} below it`);
  const machine = `${describeMachine()}, ${new Date().toISOString().slice(0, 10)}. Medians of whole processes.`;
  writeFileSync(DOCUMENT, `${before}${begin}\n${machine}\n\n${tables}\n${end}${after}`);
}

function time(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
