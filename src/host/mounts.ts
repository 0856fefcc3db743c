/** Mounts: which upper directories are in use on this machine, and overlays that only this process sees. */

import { readFileSync, readlinkSync } from 'node:fs';
import { unescapeOctal } from '../model/octal.js';
import { isSystemError } from './files.js';
import type { HostPath } from './libc.js';
import { upperOf } from './mount-table.js';
import { mountOverlay, unmountIdle } from './native.js';
import { askUppers, whyNoUpper } from './overlay-trial.js';
import { statKnown } from './stat.js';

export interface Mounts {
  /**
   * Which of some directories are the upper directory of an overlay that lives anywhere on this machine: by the kernel's word, whatever
   * it is called and in whatever mount namespace it is. `spare` is a directory of lxcv's own that can hold upper directories, in which
   * something lies while this looks, where /run cannot hold them. What is not there is in no use.
   */
  uppersInUse(directories: readonly string[], spare: string): Set<string>;
  /** The same of one directory. */
  isUpperInUse(directory: string, spare: string): boolean;
  /**
   * Tries whether an overlay can have its upper directory in a directory. Returns undefined where it can, and else the code of the
   * error: EINVAL, say, on an overlay, ENOTSUP on a file system without trusted attributes.
   */
  tryUpper(directory: string): string | undefined;
  /** Mounts an overlay read-only for all to see; `source` is the name by which `mountSource` knows it again. */
  mount(source: string, directory: string, options: string): void;
  /** The name of the topmost mount on a directory, or undefined where nothing is mounted there. */
  mountSource(directory: string): string | undefined;
  /** Takes a mount away. Throws EBUSY where it is in use. */
  unmount(directory: string): void;
}

export const mounts: Mounts = {
  uppersInUse,
  isUpperInUse: (directory, spare) => uppersInUse([directory], spare).size > 0,
  tryUpper: whyNoUpper,
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

function uppersInUse(directories: readonly string[], spare: string): Set<string> {
  const byIdentity = new Map<string, string[]>();
  for (const directory of directories) {
    const identity = identityOf(directory);
    if (identity !== undefined) byIdentity.set(identity, [...(byIdentity.get(identity) ?? []), directory]);
  }
  // Two mounts of one upper directory share the kernel's mark, and the first that goes takes it away.
  const used = [...uppersInTables()].flatMap((upper) => byIdentity.get(identityOf(upper) ?? '') ?? []);
  const inUse = new Set(used);
  const open = [...byIdentity.values()].map(([directory]) => directory as string).filter((each) => !inUse.has(each));
  for (const [directory, answer] of askUppers(open, spare)) {
    if (answer !== true) continue;
    for (const same of byIdentity.get(identityOf(directory) ?? '') ?? []) inUse.add(same);
  }
  return inUse;
}

function identityOf(path: HostPath): string | undefined {
  try {
    const target = statKnown(path);
    return target && `${target.device} ${target.inode}`;
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/**
 * The upper directories of the overlays that are mounted in this process's mount namespace and in that of the machine's init, as paths
 * that lead to them from here. Other namespaces are other people's: how long their tables are, and what stands there, is theirs to say.
 */
function* uppersInTables(): Generator<Buffer> {
  yield* uppersOf('/proc/self/mountinfo', '');
  try {
    if (readlinkSync('/proc/1/ns/mnt') !== readlinkSync('/proc/self/ns/mnt')) {
      yield* uppersOf('/proc/1/mountinfo', '/proc/1/root');
    }
  } catch (error) {
    // Init is none of this machine's, but of a container whose processes may not be looked at.
    if (!isSystemError(error)) throw error;
  }
}

/** @param root where the paths of a mount table lead from. */
function* uppersOf(table: string, root: string): Generator<Buffer> {
  for (const line of readFileSync(table, 'latin1').split('\n')) {
    const [type, , options = ''] = line.slice(line.indexOf(' - ') + 3).split(' ');
    const upper = type === 'overlay' ? upperOf(options) : undefined;
    if (upper !== undefined) yield Buffer.from(`${root}${upper}`, 'latin1');
  }
}
