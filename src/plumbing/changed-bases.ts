/** Tells of bases that are not what they were: a tree that stands on one is not what was committed. */

import type { Host } from '../host/host.js';
import { fingerprint } from '../layer/base.js';
import type { Base } from '../model/version.js';
import type { Context } from './context.js';

/** What the bases look like now, by path: each is looked at once in a call of the engine, which has a `Host` of its own. */
const looks = new WeakMap<Host, Map<string, string | undefined>>();

/** Reports the bases among these that were changed since something was made of them. One that is gone is told by whoever reads it. */
export function tellChangedBases(context: Context, bases: readonly Base[]): void {
  for (const { path, fingerprint: was } of bases) {
    const now = look(context, path);
    if (now !== undefined && now !== was) context.report({ kind: 'base-changed', base: path });
  }
}

function look({ host }: Context, path: string): string | undefined {
  const known = looks.get(host) ?? new Map<string, string | undefined>();
  looks.set(host, known);
  if (!known.has(path)) known.set(path, fingerprint(host.files, path));
  return known.get(path);
}
