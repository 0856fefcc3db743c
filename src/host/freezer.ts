/** The kernel's freezer of a container: the control group that LXC made for it, and what is written there and read. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

/**
 * Finds the freezer that LXC itself uses for a container, by its first process; or undefined where there is any doubt,
 * be it because the config names the groups or because the container is gone.
 */
export function findFreezer(init: number): Freezer | undefined {
  try {
    return findVersion1(init) ?? findVersion2(init);
  } catch {
    return undefined;
  }
}

/** Does nothing where the group is gone or not to be written to. */
export function thawByGroup({ control, thaw }: Freezer): void {
  try {
    writeFileSync(control, thaw, { flag: 'r+' });
  } catch {
    // LXC's own tool is asked next, and says what is wrong.
  }
}

/** Where this is mounted LXC takes no notice of the freezer of version 2. */
function findVersion1(init: number): Freezer | undefined {
  const directory = findPayload(
    init,
    / - cgroup \S+ (?:\S+,)?freezer(?:,\S+)?$/,
    /^\d+:(?:[^:]+,)?freezer(?:,[^:]+)?:/,
  );
  if (directory === undefined) return undefined;
  const state = join(directory, 'freezer.state');
  return existing({ control: state, freeze: 'FROZEN', thaw: 'THAWED', state, frozen: 'FROZEN' });
}

function findVersion2(init: number): Freezer | undefined {
  const directory = findPayload(init, / - cgroup2 /, /^0::/);
  if (directory === undefined) return undefined;
  const [control, state] = [join(directory, 'cgroup.freeze'), join(directory, 'cgroup.events')];
  return existing({ control, freeze: '1', thaw: '0', state, frozen: 'frozen 1' });
}

/**
 * LXC makes two groups side by side, `lxc.monitor.X` and `lxc.payload.X`, with the container's name or that and a number as X.
 * What runs in a container can move itself to other groups below its payload, and give them any name; its monitor, which is
 * the parent of its first process, cannot be moved from there. So it is by the monitor that the payload is found.
 */
function findPayload(init: number, mount: RegExp, hierarchy: RegExp): string | undefined {
  const monitor = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${init}/status`, 'utf8'))?.[1]);
  const [, parent, name] = /^(.*\/)lxc\.monitor\.([^/]+)$/.exec(groupOf(monitor, hierarchy) ?? '') ?? [];
  const payload = `${parent}lxc.payload.${name}`;
  if (name === undefined || !`${groupOf(init, hierarchy)}/`.startsWith(`${payload}/`)) return undefined;
  const root = mountPoint(mount);
  return root === undefined ? undefined : join(root, payload);
}

function groupOf(pid: number, hierarchy: RegExp): string | undefined {
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .find((line) => hierarchy.test(line))
    ?.replace(hierarchy, '');
}

/** Where all of a hierarchy is mounted, not only a part. */
function mountPoint(mount: RegExp): string | undefined {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => mount.test(line))
    .map((line) => line.split(' '))
    .find(([, , , root]) => root === '/')?.[4];
}

function existing(freezer: Freezer): Freezer | undefined {
  return existsSync(freezer.control) && existsSync(freezer.state) ? freezer : undefined;
}
