/** Small file systems of one's own: a file, formatted and mounted. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DisposablePath, temporaryDirectory } from './overlay.js';

const MIB = 1 << 20;

/** How a file system is made, and how small it can be. Of ext4, root may use every block. */
const KINDS = {
  ext4: { make: ['mkfs.ext4', '-q', '-m', '0'], bytes: 24 * MIB },
  /** Its directories do not tell the types of what they hold. */
  'ext4-untyped': { make: ['mkfs.ext4', '-q', '-O', '^filetype'], bytes: 24 * MIB },
  btrfs: { make: ['mkfs.btrfs', '-q'], bytes: 256 * MIB },
  xfs: { make: ['mkfs.xfs', '-q'], bytes: 512 * MIB },
} as const;

/**
 * Mounts a new file system on a directory, until disposal.
 * @param bytes its size; by default the smallest. The file behind it takes up only what is written.
 */
export function mountDisk(kind: keyof typeof KINDS, bytes: number = KINDS[kind].bytes): DisposablePath {
  const directory = temporaryDirectory();
  const [image, path] = [join(directory.path, 'image'), join(directory.path, 'disk')];
  const [mkfs, ...options] = KINDS[kind].make;
  try {
    writeFileSync(image, '');
    truncateSync(image, bytes);
    execFileSync(mkfs, [...options, image], { stdio: 'pipe' });
    mkdirSync(path);
    execFileSync('mount', ['-o', 'loop', image, path]);
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
  return { path, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

/** Mounts a file system that is memory on a directory, until disposal: on it a sync takes no time. */
export function mountMemory(): DisposablePath {
  const directory = temporaryDirectory();
  const path = join(directory.path, 'memory');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', path]);
  return { path, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}
