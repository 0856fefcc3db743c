/**
 * A machine on which something else happens meanwhile: right before a chosen one of the calls that lxcv makes. Trying each of
 * them in turn is trying every moment at which another program can come between.
 */

import { type Host, machine } from '../../src/host/host.js';

export interface InterruptedHost extends Host {
  /** What was called, in order, of that which matters: the method and its arguments, without paths below open directories. */
  readonly calls: readonly string[];
}

export interface Interruption {
  /** The number of the call, from 0, before which it happens. */
  readonly at: number;
  readonly act: () => void;
  /** Which calls count, by method and arguments: those that have to do with what `act` changes; it commutes with the others. */
  readonly matters: (call: string) => boolean;
}

export function interruptedHost({ at, act, matters }: Interruption): InterruptedHost {
  const calls: string[] = [];
  const pass = (name: string, args: readonly unknown[]) => {
    const call = `${name} ${args.filter(isNamed).join(' ')}`;
    if (!matters(call)) return;
    calls.push(call);
    if (calls.length - 1 === at) act();
  };
  return {
    ...machine,
    calls,
    files: watch(machine.files, pass),
    lxc: watch(machine.lxc, pass),
    mounts: watch(machine.mounts, pass),
  };
}

function isNamed(argument: unknown): boolean {
  return typeof argument === 'string' && !argument.startsWith('/proc/self/fd/');
}

function watch<T extends object>(target: T, pass: (name: string, args: readonly unknown[]) => void): T {
  return new Proxy(target, {
    get(_, name: string) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        pass(name, args);
        return method.apply(target, args);
      };
    },
  });
}
