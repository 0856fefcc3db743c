/** Reports bases that were changed: a tree that stands on one is not what was committed. */

import type { Host } from '../host/host.js';
import { fingerprint } from '../layer/base.js';
import type { Base } from '../model/version.js';
import type { Context } from './context.js';

/** The fingerprints of the bases, by path: each is taken once in a call of the engine, which has a `Host` of its own. */
const fingerprints = new WeakMap<Host, Map<string, string | undefined>>();

/** Reports the bases among these that were changed since something was made of them. One that is gone is reported by whoever reads it. */
export function reportChangedBases(context: Context, bases: readonly Base[]): void {
  for (const { path, fingerprint: was } of bases) {
    const now = currentFingerprint(context, path);
    if (now !== undefined && now !== was) context.report({ kind: 'base-changed', base: path });
  }
}

function currentFingerprint({ host }: Context, path: string): string | undefined {
  const known = fingerprints.get(host) ?? new Map<string, string | undefined>();
  fingerprints.set(host, known);
  if (!known.has(path)) known.set(path, fingerprint(host.files, path));
  return known.get(path);
}
