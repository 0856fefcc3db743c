/** Runs programs, and takes the time. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { LXCV } from '../support/lxc.js';

const POLL_MS = 2;

/** A program and its arguments. */
export type Program = readonly [program: string, ...args: string[]];

export function lxcv(lxcpath: string, command: string, ...args: string[]): Program {
  return [process.execPath, LXCV, command, '-P', lxcpath, ...args];
}

/** Runs a program to its end, which must be a good one. @returns milliseconds. */
export function took([program, ...args]: Program): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return ms;
}

/** Waits until nothing is left to be written to a file system before it takes the time. */
export function tookWhenQuiet(place: string, program: Program): number {
  execFileSync('sync', ['-f', place]);
  return took(program);
}

/** Runs a program to its end. @returns the milliseconds until it said something, and until something was so. */
export async function tookUntil(
  [program, ...args]: Program,
  isSo: () => boolean,
): Promise<{ said: number; so: number }> {
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'close');
  const data = once(child.stdout, 'data').then(() => performance.now() - started);
  let so: number | undefined;
  while (so === undefined && child.exitCode === null) {
    if (isSo()) so = performance.now() - started;
    else await setTimeout(POLL_MS);
  }
  const said = await data;
  child.stdout.resume();
  const [status] = await exit;
  if (status !== 0 || so === undefined) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
  return { said, so };
}

/** Measures each of some things in turn, several times over. @returns their medians. */
export async function interleaved<Name extends string>(
  rounds: number,
  things: Readonly<Record<Name, () => number | Promise<number>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(things) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) times.get(name)?.push(await things[name]());
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])])) as Record<Name, number>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
