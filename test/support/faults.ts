/**
 * A machine that fails: every call that changes something is numbered, and one of them goes wrong. `death` is SIGKILL as the
 * disk sees it: the call does not happen, and neither does any other after it.
 */

import type { Files } from '../../src/host/files.js';
import { type Host, machine } from '../../src/host/host.js';
import { type Call, intercept } from './changing-calls.mjs';

export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'death' }
  /** The call fails, once. The end of a freeze cannot do less than thaw, and fails when it has. */
  | { readonly kind: 'errno'; readonly code: string }
  /** A write leaves half of its bytes, and fails; any other call just fails. */
  | { readonly kind: 'cut-short' };

export interface FaultyHost extends Host {
  /** What was called, in order: the method and its first argument. */
  readonly calls: readonly string[];
}

/** Thrown by every call of a machine that is dead. */
export class Death extends Error {
  override readonly name = 'Death';
}

/**
 * @param at the number of the call, from 0, that goes wrong.
 * @param under the machine that is made to fail.
 */
export function faultyHost(fault: Fault, at: number, under: Host = machine): FaultyHost {
  const calls: string[] = [];
  const ends = new Set<() => unknown>();
  let dead = false;
  const strike: Call = (name, args, act) => {
    if (dead) throw new Death(name);
    calls.push(`${name} ${String(args[0])}`);
    if (calls.length - 1 !== at || fault.kind === 'none') return act();
    if (fault.kind === 'death') {
      dead = true;
      for (const end of ends) end();
      throw new Death(name);
    }
    if (fault.kind === 'cut-short') writeHalf(under.files, name, args);
    const code = fault.kind === 'errno' ? fault.code : 'ENOSPC';
    const error = Object.assign(new Error(`${code}: injected into ${name}`), { code });
    if (name !== 'end of freeze') throw error;
    return Promise.resolve(act()).then(() => Promise.reject(error));
  };
  /** What ends with the process does so when it is dead: the keeper of a freeze has lost its input. */
  const freeze: Host['lxc']['freeze'] = async (...args) => {
    const freeze = await under.lxc.freeze(...args);
    const end = once(() => freeze[Symbol.asyncDispose]());
    ends.add(end);
    return { since: freeze.since, look: (how) => freeze.look(how), [Symbol.asyncDispose]: end };
  };
  const look: Call = (name, _, act) => {
    if (dead) throw new Death(name);
    return act();
  };
  return { ...intercept({ ...under, lxc: { ...under.lxc, freeze } }, strike, look), calls };
}

function once<T>(act: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: act() };
    return made.value;
  };
}

function writeHalf(files: Files, name: string, args: readonly unknown[]): void {
  if (name !== 'create' && name !== 'append') return;
  const [path, data, mode] = args as [string, string | Uint8Array, number];
  const half = Buffer.from(data as string).subarray(0, data.length >> 1);
  if (name === 'create') files.create(path, half, mode);
  else files.append(path, half.toString());
}

/** The methods of a machine's files that only look. */
export const LOOKING: readonly (keyof Files)[] = [
  'stat',
  'stamps',
  'expectLooks',
  'statTarget',
  'read',
  'readEnd',
  'readIfPresent',
  'realPath',
  'list',
  'listTyped',
  'readLink',
  'ticksForMappedWrites',
  'placement',
  'free',
  'sharesBlocks',
  'xattrNames',
  'xattr',
  'sameContent',
  'openDirectory',
  'openFile',
];
