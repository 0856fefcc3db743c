/**
 * What lies in a store and beside its containers that nothing accounts for: neither the layout of docs/store-format.md nor what
 * garbage collection may take, which is a directory that is no version and no container's, or a keyframe in no chain.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const STORE = /^store\.json$/;
const REPOSITORY =
  /^(lock|seal\.lock|operations|graph|graph\.partial|summaries|summaries\.partial|versions|refs|hooks|aside|containers|empty|restarting)$/;
const VERSION = /^(manifest\.json|config|files|sources|entries|entries\.partial|delta|work|work-left|keyframe-\d)$/;
const WORKING = /^(working\.json|delta|work)$/;
const CONTAINER = /^(config|rootfs|overlay|lxc_rdepends|lxc_snapshots|hooks|fstab)$/;

/** Paths below `directory`, which holds the lxcpath `lxc` and the store `lxcv`. */
export function leftovers(directory: string): string[] {
  return [...inStore(join(directory, 'lxcv')), ...inLxcpath(join(directory, 'lxc'))].map((path) =>
    path.slice(directory.length + 1),
  );
}

function* inStore(store: string): Generator<string> {
  // Before its first file there is no store, and the first operation that makes it clears away what an earlier one began.
  if (!existsSync(join(store, 'store.json'))) return;
  for (const name of readdirSync(store)) {
    if (STORE.test(name)) continue;
    if (name.startsWith('.')) yield join(store, name);
    else yield* inRepository(join(store, name));
  }
}

function* inRepository(repository: string): Generator<string> {
  yield* others(repository, REPOSITORY);
  for (const kind of ['heads', 'tags']) yield* others(join(repository, 'refs', kind), /^[^.]/);
  yield* others(join(repository, 'aside'), /^[^.]/);
  const versions = join(repository, 'versions');
  for (const id of existsSync(versions) ? readdirSync(versions) : []) {
    const version = join(versions, id);
    if (existsSync(join(version, 'manifest.json'))) yield* others(version, VERSION);
    else if (existsSync(join(version, 'working.json')) && isStoodOn(version)) yield* others(version, WORKING);
  }
}

/** True for the working delta that the config of its container names. */
function isStoodOn(version: string): boolean {
  const { container } = JSON.parse(readFileSync(join(version, 'working.json'), 'utf8')) as { container: string };
  const config = join(version, '../../../../lxc', container, 'config');
  return existsSync(config) && readFileSync(config, 'utf8').includes(join(version, 'delta'));
}

function* inLxcpath(lxcpath: string): Generator<string> {
  for (const name of readdirSync(lxcpath)) {
    if (name.startsWith('.')) yield join(lxcpath, name);
    else yield* others(join(lxcpath, name), CONTAINER);
  }
}

function* others(directory: string, known: RegExp): Generator<string> {
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    if (!known.test(name)) yield join(directory, name);
  }
}
