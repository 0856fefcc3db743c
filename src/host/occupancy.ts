/**
 * Who uses a directory besides its owner: mounts of it or on it, and processes that have it as their root. Both are known by what
 * the kernel says of a directory, not by text; what an ordinary user does in a user namespace of his own does not count.
 */

import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { libc } from './libc.js';

/** ioctl(2) of linux/nsfs.h: asks a user namespace for the user that made it. */
const NS_GET_OWNER_UID = 0xb704;

/** A line of mountinfo: proc_pid_mountinfo(5). */
export interface MountEntry {
  readonly id: number;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** What of the file system is mounted: a path in that. */
  readonly root: string;
  readonly place: string;
}

interface RootProcess {
  readonly pid: number;
  /** The name of its program, as ps(1) has it. */
  readonly name: string;
}

export interface Occupancy {
  /** The mounts of this process's mount namespace. */
  mounts(): MountEntry[];
  /** Those of all other mount namespaces that are not an ordinary user's, of one file system. */
  mountsElsewhere(device: string): MountEntry[];
  /** A process that has a directory as its root, be it by a mount of that. */
  rootProcess(directory: string): RootProcess | undefined;
}

export const occupancy: Occupancy = {
  mounts: () => parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1')),
  mountsElsewhere,
  rootProcess,
};

function mountsElsewhere(device: string): MountEntry[] {
  const seen = new Set([readlinkSync('/proc/self/ns/mnt')]);
  return processes().flatMap((pid) =>
    unlessEnded([], () => {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (seen.has(namespace)) return [];
      seen.add(namespace);
      if (isStrangers(pid)) return [];
      return parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'latin1'), device);
    }),
  );
}

function rootProcess(directory: string): RootProcess | undefined {
  const { dev, ino } = statSync(directory, { bigint: true });
  const pid = processes().find((each) =>
    unlessEnded(false, () => {
      // A stranger's root may be on a file system that is a program of his own, and never answers.
      if (isStrangers(each)) return false;
      const root = statSync(`/proc/${each}/root`, { bigint: true });
      return root.ino === ino && root.dev === dev;
    }),
  );
  if (pid === undefined) return undefined;
  return { pid, name: unlessEnded('', () => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd()) };
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** True for a process in a user namespace that another user has made than the one who runs lxcv. */
function isStrangers(pid: number): boolean {
  const own = readlinkSync('/proc/self/ns/user');
  if (readlinkSync(`/proc/${pid}/ns/user`) === own) return false;
  const fd = openSync(`/proc/${pid}/ns/user`, constants.O_RDONLY);
  try {
    const owner = Buffer.alloc(4);
    const { ioctl, address } = libc();
    return ioctl(fd, NS_GET_OWNER_UID, Number(address(owner))) === 0 && owner.readUInt32LE() !== process.geteuid?.();
  } finally {
    closeSync(fd);
  }
}

/** @param device leaves out other file systems. */
function parseMountInfo(table: string, device?: string): MountEntry[] {
  return table.split('\n').flatMap((line) => {
    const [id, , on = '', root = '', place = ''] = line.split(' ', 5);
    if (id === undefined || id === '' || (device !== undefined && on !== device)) return [];
    return [{ id: Number(id), device: on, root: unescapeOctal(root), place: unescapeOctal(place) }];
  });
}

/** mountinfo has bytes, some of them in octal. */
function unescapeOctal(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** What a look at a process yields, or a fallback where that has ended: a zombie has no namespaces either. */
function unlessEnded<T>(fallback: T, look: () => T): T {
  try {
    return look();
  } catch {
    return fallback;
  }
}
