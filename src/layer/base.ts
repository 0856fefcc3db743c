/** Bases: lower directories that belong to somebody else, and how to notice that one has changed. */

import { createHash } from 'node:crypto';
import { childPath, type FilesRead, type Stat } from '../host/files.js';
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
  hash.update(describe(ROOT, root));
  let count = 1;
  for (let level: BytePath[] = [ROOT]; level.length > 0 && count < ENTRIES_MAX; ) {
    const next: BytePath[] = [];
    for (const parent of level) {
      for (const [path, stat] of entriesOf(files, base, parent)) {
        if (count++ >= ENTRIES_MAX) break;
        hash.update(describe(path, stat));
        if (stat.type === 'directory') next.push(path);
      }
    }
    level = next;
  }
  return `sha256:${hash.digest('hex')}`;
}

function entriesOf(files: FilesRead, base: string, parent: BytePath): [BytePath, Stat][] {
  using directory = files.openDirectory(parent === ROOT ? `${base}/.` : childPath(base, parent));
  if (directory === undefined) return [];
  return files
    .list(directory.path)
    .sort()
    .flatMap((name): [BytePath, Stat][] => {
      const stat = files.stat(childPath((directory as { path: string }).path, name));
      return stat === undefined ? [] : [[joinPath(parent, name), stat]];
    });
}

function describe(path: BytePath, { type, mode, uid, gid, size, mtimeNs }: Stat): Buffer {
  const bytes = type === 'directory' ? 0 : size;
  return Buffer.from(`${path}\0${type} ${mode} ${uid} ${gid} ${bytes} ${mtimeNs}\0`, 'latin1');
}
