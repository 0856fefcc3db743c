/** Paths that are asked for, as a walk down a tree meets them: name by name, so that none is compared whole at each step. */

import { type BytePath, ROOT } from '../model/byte-path.js';

/** All that is here is wanted, and what is below it. */
export const ALL = 'all';

/** What is wanted of a directory: all of it, or only what is below these names. */
export type Wanted = typeof ALL | ReadonlyMap<BytePath, Wanted>;

type Branch = Map<BytePath, Branch | typeof ALL>;

/** What of the root is within one of these paths. */
export function wantedOf(paths: readonly BytePath[]): Wanted {
  const root: Branch = new Map();
  for (const path of paths) {
    if (path === ROOT) return ALL;
    add(root, path.split('/') as BytePath[]);
  }
  return root;
}

function add(root: Branch, names: readonly BytePath[]): void {
  let branch = root;
  for (const [index, name] of names.entries()) {
    const present = branch.get(name);
    if (present === ALL) return;
    const next: Branch | typeof ALL = index === names.length - 1 ? ALL : (present ?? new Map());
    branch.set(name, next);
    if (next !== ALL) branch = next;
  }
}
