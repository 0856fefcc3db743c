/** What a bench measured, as a table: printed, and written between two marks of docs/performance.md. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Row {
  readonly what: string;
  /** In milliseconds. */
  readonly lxcv: number;
  readonly peer: string;
  /** In milliseconds. */
  readonly peerTook: number;
  readonly bar: string;
  /** Whether the bar is reached, by lxcv's time over the peer's. */
  readonly reached: (ratio: number) => boolean;
}

const DOCUMENT = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
const [BEGIN, END] = ['<!-- measured: begin -->', '<!-- measured: end -->'];

export function renderRows(rows: readonly Row[]): string {
  const lines = rows.map(({ what, lxcv, peer, peerTook, bar, reached }) => {
    const ratio = lxcv / peerTook;
    const told = ratio < 1 ? `1/${(1 / ratio).toFixed(1)}` : ratio.toFixed(2);
    return `| ${what} | ${time(lxcv)} | ${peer}: ${time(peerTook)} | ${told} | ${bar} | ${reached(ratio) ? 'yes' : 'no'} |`;
  });
  return ['| what | lxcv | peer | ratio | bar | reached |', '| --- | --- | --- | --- | --- | --- |', ...lines].join(
    '\n',
  );
}

/** What machine it was. */
export function describeMachine(): string {
  const kernel = execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim();
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${memory} GiB, ${kernel}, Node ${process.version}`;
}

export function writeRows(rows: readonly Row[]): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [start, end] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  const measured = `\n${describeMachine()}, ${new Date().toISOString().slice(0, 10)}. Medians of whole processes.\n\n${renderRows(rows)}\n`;
  writeFileSync(DOCUMENT, `${text.slice(0, start)}${measured}${text.slice(end)}`);
}

function time(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
