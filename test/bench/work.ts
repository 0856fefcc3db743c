/** What the benches work on: how much of it there is, and the containers and files that it is made of. */

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { commandSocketName } from '../../src/host/monitor.js';
import { type TestLxc, temporaryLxc } from '../support/lxc.js';
import { lxcv, tookUntil } from './measure.js';

/** Whether to measure with less, and to write nothing into the documents. */
export const IS_QUICK = process.env.LXCV_BENCH !== 'full';
/** A delta of many small files and a large one. */
export const FILES = IS_QUICK ? 3_000 : 27_000;
export const MIB = IS_QUICK ? 100 : 1_000;
export const FILE_BYTES = 8_000;
/** That delta, as the table names it: `27,000 files, 1.3 GB`. */
export const SIZE = `${FILES.toLocaleString('en')} files, ${((FILES * FILE_BYTES + MIB * 2 ** 20) / 1e9).toFixed(1)} GB`;

/** A container with version 0, on an overlay. @param directory where; a temporary one if not given. */
export async function versioned(name: string, directory?: string): Promise<TestLxc> {
  const lxc = temporaryLxc(directory);
  lxc.createBase();
  await lxc.clone('base', name);
  await lxc.commit(name, 'First');
  return lxc;
}

/** Commits a new file in `/home` that holds its own name, in this process. */
export async function commitFile(lxc: TestLxc, name: string, file: string): Promise<void> {
  writeInto(lxc, name, (root) => writeFileSync(join(root, 'home', file), file));
  await lxc.commit(name, `Version ${file}\n\nMade for the sake of its number.`);
}

export function writeInto(lxc: TestLxc, name: string, change: (root: string) => void): void {
  using mount = lxc.mount(name);
  change(mount.path);
}

/** Writes `files` files of FILE_BYTES and one of `mib` MiB that cannot be compressed, below `bench` in a delta. */
export function fillDelta(delta: string, files: number, mib: number): void {
  for (let file = 0; file < files; file += 1) {
    const directory = join(delta, `bench/d${file % 270}`);
    if (file < 270) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `f${file}`), `${file}`.padEnd(FILE_BYTES, '.'));
  }
  const large = openSync(join(delta, 'bench/large'), 'w');
  for (let written = 0; written < mib; written += 1) writeSync(large, randomBytes(2 ** 20));
  closeSync(large);
}

/** The milliseconds that a commit took: until the container might start again, and until it said that it was made. */
export interface CommitTook {
  readonly free: number;
  readonly said: number;
}

/** Writes what fillDelta made at `source` into a stopped container, and commits that. */
export function tookToCommitCopy(lxc: TestLxc, name: string, source: string): Promise<CommitTook> {
  const { upper } = lxc.rootfs(name);
  rmSync(join(upper, 'bench'), { recursive: true, force: true });
  // With new times, as files have that were written: those of the round before lie below them, with the same bytes.
  execFileSync('cp', ['-r', `${source}/.`, upper]);
  execFileSync('sync', ['-f', lxc.directory]);
  return tookToCommit(lxc, name);
}

export async function tookToCommit(lxc: TestLxc, name: string): Promise<CommitTook> {
  const before = lxc.readConfig(name);
  const socket = `@${commandSocketName(lxc.lxcpath, name)}\n`;
  // lxc-start reads the config, and needs the socket, which lxcv holds until then.
  const isFree = () => lxc.readConfig(name) !== before && !readFileSync('/proc/net/unix', 'latin1').includes(socket);
  const { so, said } = await tookUntil(lxcv(lxc.lxcpath, 'commit', '-m', 'Bench', name), isFree);
  return { free: so, said };
}

/** The bytes that a path takes on disk, with all below it; a file counts once, whatever its names. */
export function diskOf(path: string, ...options: string[]): number {
  return Number(execFileSync('du', ['-s', '-B1', ...options, path], { encoding: 'utf8' }).split('\t')[0]);
}

/** Whether a program is there; says so where it is not. */
export function isInstalled(program: string): boolean {
  const isFound = spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
  if (!isFound) console.log(`${program} is not installed: what needs it is left out`);
  return isFound;
}
