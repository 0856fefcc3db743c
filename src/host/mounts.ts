/** Mounts: which upper directories are in use on this machine, and overlays that only this process sees. */

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaveMountNamespace, mountOverlay, unmount } from './native.js';

export interface Mounts {
  /** The upper directories of all overlays that any process of this machine has mounted, as mountinfo tells them. */
  uppersInUse(): Set<string>;
  /**
   * Mounts an overlay read-only where only this process and its children see it, and returns the directory. The kernel
   * takes the mount away with the process. `options` is mount(2)'s string.
   */
  mountPrivately(options: string): Disposable & { readonly path: string };
}

export const mounts: Mounts = { uppersInUse, mountPrivately };

function uppersInUse(): Set<string> {
  const uppers = new Set<string>();
  for (const table of mountTables()) {
    for (const [, upper] of table.matchAll(/[ ,]upperdir=([^,\s]*)/g)) uppers.add(unescapeOption(upper as string));
  }
  return uppers;
}

/** One mountinfo for each mount namespace that a process is in. */
function* mountTables(): Generator<string> {
  const seen = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (seen.has(namespace)) continue;
      const table = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
      seen.add(namespace);
      yield table;
    } catch {
      // The process has ended since, or is a zombie: it holds no mount.
    }
  }
}

/** Undoes mountinfo's octal escapes, and then overlayfs's backslashes. */
function unescapeOption(text: string): string {
  const option = text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return option.replace(/\\(.)/gs, '$1');
}

function mountPrivately(options: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'lxcv-'));
  try {
    leaveMountNamespace();
    mountOverlay(path, options);
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
  return {
    path,
    [Symbol.dispose]() {
      unmount(path);
      rmdirSync(path);
    },
  };
}
