/** Temporary directories and overlay mounts for tests. Both are disposables: `using directory = temporaryDirectory()`. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MNT_DETACH, mountOverlayAt, unmount } from './libc.js';

const PAGE_BYTES = 4096;

/** What lxcv pins in a container's config, so that every delta is whole in itself. */
const PINNED_OPTIONS = 'redirect_dir=off,metacopy=off,index=off,nfs_export=off,xino=off';

/** A directory, or a mount, that is gone at the end of the block that holds it. */
export interface DisposablePath extends Disposable {
  /** Absolute, without symbolic links. */
  readonly path: string;
}

/**
 * A new directory under LXCV_TEST_DIR, or else under the machine's directory for temporary files, on a file system that
 * can hold overlay uppers. Disposal unmounts whatever is mounted below it, then removes it.
 */
export function temporaryDirectory(): DisposablePath {
  const parent = realpathSync(process.env.LXCV_TEST_DIR ?? tmpdir());
  const path = mkdtempSync(join(parent, 'lxcv-test-'));
  return {
    path,
    [Symbol.dispose]() {
      for (const mount of mountsBelow(path)) unmount(mount, MNT_DETACH);
      execFileSync('rm', ['-rf', '--one-file-system', '--', path]);
    },
  };
}

export interface OverlayLayers {
  /** Top first. */
  readonly lowers: readonly string[];
  /** Made where it is missing. Without one the mount is read-only. */
  readonly upper?: string;
  /** Made where it is missing. By default `work` beside the upper, as LXC does. */
  readonly work?: string;
  /** By default the options that lxcv pins. */
  readonly options?: string;
}

/** Mounts an overlay on a directory of its own. Disposal unmounts it, and fails where something still uses it. */
export function mountOverlay({ lowers, upper, work, options = PINNED_OPTIONS }: OverlayLayers): DisposablePath {
  const directory = temporaryDirectory();
  const path = join(directory.path, 'merged');
  mkdirSync(path);
  const parts: string[] = [];
  if (upper === undefined) {
    // The kernel wants two lowers where there is no upper: an empty one at the bottom changes nothing.
    const empty = join(directory.path, 'empty');
    mkdirSync(empty);
    parts.push(`lowerdir=${[...lowers, empty].map(escapeLayer).join(':')}`);
  } else {
    const workdir = work ?? join(dirname(upper), 'work');
    mkdirSync(upper, { recursive: true });
    mkdirSync(workdir, { recursive: true });
    parts.push(`lowerdir=${lowers.map(escapeLayer).join(':')}`);
    parts.push(`upperdir=${escapeLayer(upper)}`, `workdir=${escapeLayer(workdir)}`);
  }
  try {
    mountExactly(path, [...parts, options].filter(Boolean).join(','));
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
  return {
    path,
    [Symbol.dispose]() {
      unmount(Buffer.from(path));
      // Thousands of times in a run: a process for each would take longer than all else.
      for (const made of [...readdirSync(directory.path).map((name) => join(directory.path, name)), directory.path]) {
        rmdirSync(made);
      }
    },
  };
}

/** The kernel takes one page of options, and may cut off the rest in silence. */
function mountExactly(path: string, options: string): void {
  const bytes = Buffer.from(options);
  if (bytes.length >= PAGE_BYTES) throw new RangeError(`${bytes.length} bytes of mount options do not fit in a page`);
  mountOverlayAt(Buffer.from(path), bytes);
}

function escapeLayer(path: string): string {
  return path.replace(/[\\:,]/g, '\\$&');
}

/** Mount points below a directory, the latest first, so that each can be unmounted in turn. */
function mountsBelow(directory: string): Buffer[] {
  return readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .map((line) => Buffer.from(unescapeOctal(line.split(' ')[4] ?? ''), 'latin1'))
    .filter((mountPoint) => mountPoint.toString().startsWith(`${directory}/`))
    .reverse();
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}
