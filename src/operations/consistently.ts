/** Reading without a lock: what another lxcv changed meanwhile is read again. */

import { RepositoryLayout, storeRoot } from '../store/layout.js';
import { listRepositories } from '../store/store.js';
import type { World } from './world.js';

const ATTEMPTS_MAX = 50;

/** Reads until no operation came between, and then gives what was read, or throws what was thrown. */
export async function consistently<T>(world: World, read: () => T | Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const before = stamp(world);
    const isFinal = () => attempt === ATTEMPTS_MAX || stamp(world) === before;
    try {
      const result = await read();
      if (isFinal()) return result;
    } catch (error) {
      if (isFinal()) throw error;
    }
  }
}

/** Every operation makes a log longer before anything of it can be seen, and when it is over. */
function stamp({ host, lxcpath }: World): string {
  const root = storeRoot(lxcpath);
  return listRepositories(host, lxcpath)
    .map((name) => `${name} ${host.files.stat(new RepositoryLayout(root, name).operations)?.size ?? 0}`)
    .join('\n');
}
