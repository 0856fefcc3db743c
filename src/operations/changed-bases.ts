/** Tells of bases that are not what they were: a tree that stands on one is not what was committed. */

import { fingerprint } from '../layer/base.js';
import type { Base } from '../model/version.js';
import type { World } from './world.js';

/** What the bases look like now, by path: each is looked at once in a call of the engine. */
const looks = new WeakMap<World, Map<string, string | undefined>>();

/** Reports the bases among these that were changed since something was made of them. One that is gone is told by whoever reads it. */
export function tellChangedBases(world: World, bases: readonly Base[]): void {
  for (const { path, fingerprint: was } of bases) {
    const now = look(world, path);
    if (now !== undefined && now !== was) world.report({ kind: 'base-changed', base: path });
  }
}

function look(world: World, path: string): string | undefined {
  const known = looks.get(world) ?? new Map<string, string | undefined>();
  looks.set(world, known);
  if (!known.has(path)) known.set(path, fingerprint(world.host.files, path));
  return known.get(path);
}
