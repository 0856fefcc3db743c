/** The kernel's freezer of a container: the control group that LXC made for it, what is written there, and what is read. */

import { closeSync, existsSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LxcvError } from '../model/errors.js';
import { isErrno } from './files.js';
import { watchWrites } from './inotify.js';
import { type MountEntry, parseMountInfo } from './mount-table.js';

/** Files of one control group; all that is in the groups below it stands still and goes on with it. */
export interface Freezer {
  /** Where a word is written that freezes or thaws. */
  readonly control: string;
  readonly freeze: string;
  readonly thaw: string;
  /** A file that has the line `frozen` from the moment on in which nothing in the group runs any more. */
  readonly state: string;
  readonly frozen: string;
}

/** Looks whether a group that stands still has done so all the time. */
export interface FrozenWatch extends Disposable {
  /** What it is, by the kernel's word; `refrozen` where somebody may have thawed it meanwhile, and froze it again. */
  look(): 'frozen' | 'thawed' | 'refrozen' | 'gone';
}

/**
 * Finds the freezer that LXC itself uses for a container, by its first process; or undefined where there is any doubt,
 * be it because it is not mounted here or because the container is gone.
 * @param group where its monitor says that it freezes the container, if it does.
 */
export function findFreezer(init: number, group: string | undefined): Freezer | undefined {
  try {
    return findVersion1(init, group) ?? findVersion2(init, group);
  } catch {
    return undefined;
  }
}

/** @throws an error of the system where the group is gone or not to be written to. */
export function writeFreezer({ control, freeze, thaw }: Freezer, what: 'freeze' | 'thaw'): void {
  writeFileSync(control, what === 'freeze' ? freeze : thaw, { flag: 'r+' });
}

export function isFrozen({ state, frozen }: Freezer): boolean {
  return readFileSync(state, 'latin1').split('\n').includes(frozen);
}

/** True where the last that was written is that it is to be thawed, frozen as it may still be. */
export function isToThaw({ control, thaw }: Freezer): boolean {
  return readFileSync(control, 'latin1').trim() === thaw;
}

/** True for an error of a group that is no more. */
export function isGroupGone(error: unknown): boolean {
  return isErrno(error, 'ENOENT', 'ENODEV');
}

/**
 * Watches a group from now on, at which it need not stand still yet: it is to be looked at from then on. Only who writes to its control
 * file can thaw it, and the kernel tells of that.
 * @throws LxcvError `failed` where no more files may be watched: what thawed it for a moment would not be seen.
 */
export function watchFrozen(freezer: Freezer): FrozenWatch {
  const writes = watchControl(freezer);
  let isTouched = false;
  return {
    look() {
      try {
        isTouched ||= hasEvent(writes);
        if (!isFrozen(freezer)) return 'thawed';
        return isTouched ? 'refrozen' : 'frozen';
      } catch (error) {
        if (isGroupGone(error)) return 'gone';
        throw error;
      }
    },
    [Symbol.dispose]() {
      closeSync(writes);
    },
  };
}

/** What the kernel says where a user watches as much as one may, by what is to be raised then. */
const WATCH_LIMITS = { EMFILE: 'fs.inotify.max_user_instances', ENOSPC: 'fs.inotify.max_user_watches' };

function watchControl({ control }: Freezer): number {
  try {
    return watchWrites(control);
  } catch (cause) {
    const limit = Object.entries(WATCH_LIMITS).find(([code]) => isErrno(cause, code))?.[1];
    if (limit === undefined) throw cause;
    throw new LxcvError(
      'failed',
      `root watches as many files as it may (${limit}), and what thaws a container for a moment would go unseen`,
      `Allow more: sysctl ${limit}=$((2 * $(sysctl -n ${limit})))`,
      { cause },
    );
  }
}

/** It is not read to its end: one event says it all. */
function hasEvent(fd: number): boolean {
  try {
    return readSync(fd, Buffer.alloc(EVENT_BYTES)) > 0;
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return false;
    throw error;
  }
}

/** struct inotify_event, and a name that it may have. */
const EVENT_BYTES = 512;

interface Hierarchy {
  isMounted(mount: MountEntry): boolean;
  /** What stands before a group in proc_pid_cgroup(5). */
  readonly line: RegExp;
}

const VERSION_1: Hierarchy = {
  isMounted: ({ type, options }) => type === 'cgroup' && options.split(',').includes('freezer'),
  line: /^\d+:(?:[^:]+,)?freezer(?:,[^:]+)?:/,
};
const VERSION_2: Hierarchy = { isMounted: ({ type }) => type === 'cgroup2', line: /^0::/ };

/** Where this is mounted LXC takes no notice of the freezer of version 2. */
function findVersion1(init: number, group: string | undefined): Freezer | undefined {
  const payload = findPayload(init, VERSION_1, group);
  if (payload === undefined) return undefined;
  const state = join(payload.root, payload.group, 'freezer.state');
  return existing({ control: state, freeze: 'FROZEN', thaw: 'THAWED', state, frozen: 'FROZEN' });
}

function findVersion2(init: number, group: string | undefined): Freezer | undefined {
  const payload = findPayload(init, VERSION_2, group);
  if (payload === undefined) return undefined;
  const directory = join(payload.root, payload.group);
  const control = join(directory, 'cgroup.freeze');
  const state = join(directory, 'cgroup.events');
  return existing({ control, freeze: '1', thaw: '0', state, frozen: 'frozen 1' });
}

/**
 * LXC makes two groups side by side, `lxc.monitor.X` and `lxc.payload.X`, with the container's name or that and a number as X.
 * What runs in a container can move itself to other groups below its payload, and give them any name; its monitor, which is
 * the parent of its first process, cannot be moved from there. So it is by the monitor that the payload is found, or by what that
 * says: where the config names other groups, or the two numbers differ, since a group of an earlier run was left behind.
 */
function findPayload(
  init: number,
  { isMounted, line }: Hierarchy,
  told: string | undefined,
): { readonly root: string; readonly group: string } | undefined {
  const monitor = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${init}/status`, 'utf8'))?.[1]);
  const [, parent, name] = /^(.*\/)lxc\.monitor\.([^/]+)$/.exec(groupOf(monitor, line) ?? '') ?? [];
  const own = `${groupOf(init, line)}/`;
  const group = [name === undefined ? undefined : `${parent}lxc.payload.${name}`, told].find(
    (each) => each !== undefined && each !== '/' && own.startsWith(`${each}/`),
  );
  const root = wholeMounts().find(isMounted)?.place;
  return group === undefined || root === undefined ? undefined : { root, group };
}

function groupOf(pid: number, line: RegExp): string | undefined {
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .find((each) => line.test(each))
    ?.replace(line, '');
}

/** Where all of a file system is mounted, not only a part. */
function wholeMounts(): MountEntry[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1')).filter(({ root }) => root === '/');
}

function existing(freezer: Freezer): Freezer | undefined {
  return existsSync(freezer.control) && existsSync(freezer.state) ? freezer : undefined;
}

/** For each hierarchy in which this process is not in the root group, the directory of that. */
export function rootGroups(): string[] {
  const mounts = wholeMounts();
  return readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, id, controllers = '', group] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
      if (group === undefined || group === '/') return [];
      const mount = mounts.find(({ type, options }) =>
        id === '0'
          ? type === 'cgroup2'
          : type === 'cgroup' && controllers.split(',').every((name) => options.split(',').includes(name)),
      );
      return mount === undefined ? [] : [mount.place];
    });
}
