/**
 * A machine that fails: every call that changes something is numbered, and one of them goes wrong. `death` is SIGKILL as the
 * disk sees it: the call does not happen, and neither does any other after it.
 */

import type { Files } from '../../src/host/files.js';
import { type Host, machine } from '../../src/host/host.js';

export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'death' }
  /** The call fails, once. */
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

/** The calls that change something. Whatever is not here must be known not to: see the test of this list. */
export const CHANGING = {
  files: [
    'append',
    'chmod',
    'chown',
    'copyContent',
    'create',
    'exchange',
    'link',
    'makeNode',
    'mkdir',
    'rename',
    'removeXattr',
    'renameNew',
    'rmdir',
    'setMtime',
    'setXattr',
    'symlink',
    'sync',
    'syncFileSystem',
    'truncate',
    'unlink',
  ],
  lxc: ['start', 'stop', 'freeze', 'thaw'],
} as const;

/** @param at the number of the call, from 0, that goes wrong. */
export function faultyHost(fault: Fault, at: number): FaultyHost {
  const calls: string[] = [];
  let dead = false;
  const strike = (name: string, args: readonly unknown[], act: () => unknown): unknown => {
    if (dead) throw new Death(name);
    calls.push(`${name} ${String(args[0])}`);
    if (calls.length - 1 !== at || fault.kind === 'none') return act();
    if (fault.kind === 'death') {
      dead = true;
      throw new Death(name);
    }
    if (fault.kind === 'cut-short') writeHalf(name, args);
    const code = fault.kind === 'errno' ? fault.code : 'ENOSPC';
    throw Object.assign(new Error(`${code}: injected into ${name}`), { code });
  };
  return {
    ...machine,
    calls,
    files: wrap(machine.files, CHANGING.files, strike, () => dead),
    lxc: wrap(machine.lxc, CHANGING.lxc, strike, () => dead),
  };
}

type Strike = (name: string, args: readonly unknown[], act: () => unknown) => unknown;

function wrap<T extends object>(target: T, changing: readonly string[], strike: Strike, isDead: () => boolean): T {
  return new Proxy(target, {
    get(_, name: string) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (changing.includes(name))
          return thawing(
            strike,
            strike(name, args, () => method.apply(target, args)),
          );
        if (isDead()) throw new Death(name);
        return method.apply(target, args);
      };
    },
  });
}

/** The end of a freeze is a call too. */
function thawing(strike: Strike, result: unknown): unknown {
  if (!(result instanceof Promise)) return result;
  return result.then((freeze: unknown) => {
    if (typeof freeze !== 'object' || freeze === null || !(Symbol.asyncDispose in freeze)) return freeze;
    const { [Symbol.asyncDispose]: thaw, ...rest } = freeze as AsyncDisposable;
    return { ...rest, [Symbol.asyncDispose]: () => strike('thaw-again', [], () => thaw.call(freeze)) };
  });
}

function writeHalf(name: string, args: readonly unknown[]): void {
  if (name !== 'create' && name !== 'append') return;
  const [path, data, mode] = args as [string, string | Uint8Array, number];
  const half = Buffer.from(data as string).subarray(0, data.length >> 1);
  if (name === 'create') machine.files.create(path, half, mode);
  else machine.files.append(path, half.toString());
}

/** The methods of a machine's files that only look. */
export const LOOKING: readonly (keyof Files)[] = [
  'stat',
  'statTarget',
  'read',
  'readEnd',
  'readIfPresent',
  'realPath',
  'list',
  'readLink',
  'ticksForMappedWrites',
  'free',
  'sharesBlocks',
  'xattrNames',
  'xattr',
  'sameContent',
  'openDirectory',
  'openFile',
];
