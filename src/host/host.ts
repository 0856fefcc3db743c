/** The one seam between lxcv and the machine: all that it reads, changes, asks and runs goes through a `Host`. */

import { randomBytes } from 'node:crypto';
import { geteuid } from 'node:process';
import type { Author } from '../model/version.js';
import { type Clocks, monotonicMs, readClocks } from './clocks.js';
import type { OpenFile } from './content.js';
import { type DigestThread, startDigestThread } from './digest-thread.js';
import { type Files, files } from './files.js';
import type { GitRepository } from './git.js';
import { type Lock, takeLock } from './lock.js';
import { type Lxc, lxc } from './lxc.js';
import { type Mounts, mounts } from './mounts.js';
import { openNameless } from './nameless.js';
import { type Occupancy, occupancy } from './occupancy.js';
import { type Programs, programs } from './programs.js';
import { noSignals, type Signals } from './signals.js';
import { type TemporaryDirectory, temporaryDirectory } from './temporary.js';

export interface Host {
  readonly files: Files;
  readonly lxc: Lxc;
  readonly mounts: Mounts;
  readonly occupancy: Occupancy;
  readonly programs: Programs;
  /** What ends an operation early: of the machine itself nothing does, each call of the engine brings its own. */
  readonly signals: Signals;
  /** Takes a lock that ends with this process: see host/lock.ts. */
  takeLock(path: string, holder: string): Lock;
  /** Makes a directory that goes when it is disposed of. */
  temporaryDirectory(): TemporaryDirectory;
  /** A file without a name, as long as it is open: for a program that is nobody. */
  openNameless(content: Buffer): OpenFile;
  isRoot(): boolean;
  now(): Date;
  /** Both clocks at one moment. */
  clocks(): Clocks;
  /** The one of them that nobody sets. */
  monotonicMs(): number;
  /** The other one, which costs half of that. */
  wallMs(): number;
  randomBytes(size: number): Uint8Array;
  /** git as a tool for texts: see host/git.ts. */
  openGit(): Promise<GitRepository>;
  /** Who commits: see host/user.ts. */
  author(): Promise<Author>;
  /** A second thread, for digests: see host/digest-thread.ts. */
  startDigestThread(): DigestThread;
  sleep(milliseconds: number): Promise<void>;
  /** Gives signals and the like that came meanwhile their turn. */
  yieldToEventLoop(): Promise<void>;
}

/** The machine that lxcv runs on. */
export const machine: Host = {
  files,
  lxc,
  mounts,
  occupancy,
  programs,
  signals: noSignals,
  takeLock,
  temporaryDirectory,
  openNameless,
  isRoot: () => geteuid?.() === 0,
  now: () => new Date(),
  clocks: readClocks,
  monotonicMs,
  wallMs: () => Date.now(),
  randomBytes: (size) => randomBytes(size),
  openGit: async () => (await import('./git.js')).openGit(),
  author: async () => (await import('./user.js')).author(),
  startDigestThread,
  yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

export { isErrno, isSystemError } from './files.js';
