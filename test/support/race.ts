/** What tests of things that happen at the same time share: how a process of lxcv ended. */

import { readFileSync } from 'node:fs';
import type { ErrorJson, TestLxc } from './lxc.js';

/** How a process of lxcv ended. */
export interface Ended {
  readonly args: string;
  /** `done`, the code of an error, or what else it ended with. */
  readonly code: string;
  readonly json: unknown;
}

/** Runs lxcv with --json, however that ends; one that hangs is killed, and ends as no refusal does. */
export async function race(lxc: TestLxc, ...args: string[]): Promise<Ended> {
  const { exitCode, stdout, stderr } = await lxc.lxcv(...args, '--json');
  const told = { args: args.join(' '), json: parse(stdout) };
  if (exitCode === 0) return { ...told, code: 'done' };
  const { error } = (told.json ?? {}) as Partial<ErrorJson>;
  const isExpected = error !== undefined && error.code !== 'operation-pending';
  return { ...told, code: isExpected ? error.code : `exit ${exitCode}: ${stdout}${stderr}` };
}

/** The upper directory of the root that a process sees. */
export function upperOf(pid: number): string | undefined {
  const root = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[4] === '/');
  return /upperdir=([^,\s]*)/.exec(root ?? '')?.[1];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
