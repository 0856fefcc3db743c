/** Mounts: which upper directories are in use on this machine, and overlays that only this process sees. */

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaveMountNamespace, mountOverlay, unmount, unmountIdle } from './native.js';

export interface Mounts {
  /** The upper directories of all overlays that any process of this machine has mounted, as mountinfo tells them. */
  uppersInUse(): Set<string>;
  /**
   * Mounts an overlay read-only where only this process and its children see it, and returns the directory. The kernel
   * takes the mount away with the process. `options` is mount(2)'s string.
   */
  mountPrivately(options: string): Disposable & { readonly path: string };
  /** Mounts an overlay read-only for all to see; `source` is the name by which `mountSource` knows it again. */
  mount(source: string, directory: string, options: string): void;
  /** The name of the topmost mount on a directory, or undefined where nothing is mounted there. */
  mountSource(directory: string): string | undefined;
  /** Takes a mount away. Throws EBUSY where it is in use. */
  unmount(directory: string): void;
}

export const mounts: Mounts = {
  uppersInUse,
  mountPrivately,
  mount: mountOverlay,
  mountSource,
  unmount: unmountIdle,
};

function mountSource(directory: string): string | undefined {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const mount = lines.findLast(([, , , , place]) => place !== undefined && unescapeOctal(place) === directory);
  return mount === undefined ? undefined : unescapeOctal(mount[mount.indexOf('-') + 2] ?? '');
}

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
  return unescapeOctal(text).replace(/\\(.)/gs, '$1');
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function mountPrivately(options: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'lxcv-'));
  try {
    leaveMountNamespace();
    mountOverlay('lxcv', path, options);
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
