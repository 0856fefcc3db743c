/** Bases: lower directories that belong to somebody else, and how to notice that one has changed. */

import { createHash } from 'node:crypto';
import { childPath, type Directory, type FilesRead, type Stat } from '../host/files.js';
import { type BytePath, joinPath, ROOT } from '../model/byte-path.js';

/** How many entries a fingerprint covers: the cost of a look at a base is bounded, whatever its size. */
const ENTRIES_MAX = 4096;

/**
 * A digest of what a directory looks like: path, type, mode, owner, size and modification time of its shallowest entries,
 * level by level, up to 4096. An installed, removed or upgraded package shows; an edit in place deep below may not.
 * @returns undefined where there is no such directory.
 */
export function fingerprint(files: FilesRead, base: string): string | undefined {
  const root = files.statTarget(base);
  if (root?.type !== 'directory') return undefined;
  const hash = createHash('sha256');
  let count = 0;
  for (const { path, stat } of levelByLevel(files, base)) {
    hash.update(describe(path, stat));
    count += 1;
    if (count === ENTRIES_MAX) break;
  }
  hash.update(describe(ROOT, root));
  return `sha256:${hash.digest('hex')}`;
}

/** What a directory holds, the shallower before the deeper, each directory's names in byte order. */
function* levelByLevel(files: FilesRead, base: string): Generator<{ path: BytePath; stat: Stat }> {
  for (let level: BytePath[] = [ROOT]; level.length > 0; ) {
    const next: BytePath[] = [];
    for (const parent of level) {
      using directory = openBelow(files, base, parent);
      if (directory === undefined) continue;
      for (const name of files.list(directory.path).sort()) {
        const stat = files.stat(childPath(directory.path, name));
        if (stat === undefined) continue;
        const path = joinPath(parent, name);
        yield { path, stat };
        if (stat.type === 'directory') next.push(path);
      }
    }
    level = next;
  }
}

/** Opens a directory of a base, step by step: the path may be longer than the system takes, and no link is followed. */
function openBelow(files: FilesRead, base: string, path: BytePath): Directory | undefined {
  let directory = files.openDirectory(`${base}/.`);
  for (const name of path === ROOT ? [] : (path.split('/') as BytePath[])) {
    if (directory === undefined) return undefined;
    using parent = directory;
    directory = files.openDirectory(childPath(parent.path, name));
  }
  return directory;
}

function describe(path: BytePath, { type, mode, uid, gid, size, mtimeNs }: Stat): Buffer {
  const bytes = type === 'directory' ? 0 : size;
  return Buffer.from(`${path}\0${type} ${mode} ${uid} ${gid} ${bytes} ${mtimeNs}\0`, 'latin1');
}
