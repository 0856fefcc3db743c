/** Much of everything: long histories and large deltas, built straight into the store, and what lxcv needs for them. */

import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeManifest, digestManifest, encodeManifest } from '../../src/model/manifest.js';
import type { Layer, Version, VersionId } from '../../src/model/version.js';
import { LXCV, type TestLxc } from './lxc.js';

/** How many layers the versions of a long history have: about what keyframes leave of it. */
const CHAIN_LENGTH = 15;
const TIMEOUT_MS = 600_000;
/** Writes, when a Node program ends, what it used. */
const TELL_USAGE = `import {writeFileSync} from 'node:fs';
process.on('exit', () => writeFileSync(process.env.USAGE, JSON.stringify(process.resourceUsage())));`;

/** What a program printed, and what it took. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  readonly peakMib: number;
}

/** Runs lxcv, and measures it. */
export function measure(lxc: TestLxc, command: string, ...args: string[]): Run {
  const [usage, output] = [join(lxc.directory, 'usage'), join(lxc.directory, 'output')];
  const fd = openSync(output, 'w');
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [LXCV, command, '-P', lxc.lxcpath, ...args], {
    stdio: ['ignore', fd, 'pipe'],
    env: {
      ...{ PATH: process.env.PATH, HOME: lxc.directory, LANG: 'C.UTF-8', USAGE: usage },
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(TELL_USAGE)}`,
    },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  });
  const seconds = (performance.now() - started) / 1000;
  closeSync(fd);
  const { maxRSS } = JSON.parse(readFileSync(usage, 'utf8')) as NodeJS.ResourceUsage;
  const stdout = readFileSync(output, 'utf8');
  for (const path of [usage, output]) rmSync(path);
  return { exitCode: status, stdout, stderr, seconds, peakMib: maxRSS / 1024 };
}

/** `log -n 20           0.61 s   84 MiB`. */
export function describeRun(what: string, { seconds, peakMib }: Run): string {
  return `${what.padEnd(32)} ${seconds.toFixed(2).padStart(7)} s ${peakMib.toFixed(0).padStart(5)} MiB`;
}

/**
 * Makes the history of a repository that has version 0 one of `count` versions in a row, each with a file `count` that holds
 * its number, and the newest of them the one that the branch `mysql` names.
 */
export function lengthenHistory(lxc: TestLxc, count: number): void {
  const repository = join(lxc.store, 'mysql');
  const head = join(repository, 'refs/heads/mysql');
  const first = readFileSync(head, 'utf8').trim();
  const template = join(repository, 'versions', first);
  let parent: Buffer = readFileSync(join(template, 'manifest.json'));
  const version = decodeManifest(parent, template);
  const config = readFileSync(join(template, 'config'));
  const own: Layer[] = [];
  for (let number = 1; number < count; number += 1) {
    const id = `v${`${number}`.padStart(11, '0')}` as VersionId;
    const directory = join(repository, 'versions', id);
    own.unshift(`versions/${id}/delta` as Layer);
    mkdirSync(join(directory, 'delta'), { recursive: true, mode: 0o755 });
    writeFileSync(join(directory, 'delta/count'), `${number}`);
    writeFileSync(join(directory, 'work'), '', { mode: 0o400 });
    writeFileSync(join(directory, 'config'), config);
    parent = encodeManifest(
      following(version, number, id, parent, [...own.slice(0, CHAIN_LENGTH - 1), ...version.chain]),
    );
    writeFileSync(join(directory, 'manifest.json'), parent, { mode: 0o400 });
  }
  writeFileSync(head, `${own[0]?.split('/')[1]}\n`);
}

/** Writes files of a few bytes into the working delta of a stopped container: `directories` of them with a thousand each. */
export function fillDelta(delta: string, directories: number): void {
  for (let directory = 0; directory < directories; directory += 1) {
    const path = join(delta, `many/d${directory}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < 1000; file += 1)
      writeFileSync(join(path, `f${file}`), file % 10 === 0 ? 'a few bytes' : '');
  }
}

function following(version: Version, number: number, id: VersionId, parent: Buffer, chain: readonly Layer[]): Version {
  const parentId = number === 1 ? version.id : (`v${`${number - 1}`.padStart(11, '0')}` as VersionId);
  return {
    ...version,
    ...{ id, number, chain, message: `Version ${number}\n\nMade for the sake of its number.` },
    parents: [{ id: parentId, digest: digestManifest(parent) }],
    time: new Date(Date.parse(version.time) + number * 1000).toISOString(),
    changes: { added: 0, modified: 1, removed: 0, bytes: `${number}`.length },
  };
}
