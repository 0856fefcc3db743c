/**
 * Who uses a directory besides its owner: mounts of it or on it, and processes that have it as their root, or could write to what it
 * holds. All are known by what the kernel says of a directory, not by text; what an ordinary user does in a user namespace of his own
 * does not count.
 */

import { closeSync, constants, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { libc } from './libc.js';
import { decodeField, type MountEntry, parseMountInfo } from './mount-table.js';
import { type Stat, statKnown } from './stat.js';

/** ioctl(2) of linux/nsfs.h: asks a user namespace for the user that made it. */
const NS_GET_OWNER_UID = 0xb704;

const OWNER_WRITES = 0o200;
/** A line of proc_pid_maps(5): `w` and `s`, and an inode. */
const WRITABLE_MAPPING = /^([0-9a-f]+-[0-9a-f]+) .w.s [0-9a-f]+ [0-9a-f:]+ [1-9]/gm;

/** A line of proc_swaps(5). */
const SWAP_FILE = /^(\/\S+)\s+file\s/gm;

interface RootProcess {
  readonly pid: number;
  /** The name of its program, as ps(1) has it. */
  readonly name: string;
}

/** What a process, or the kernel, could write to: a file, or a directory in which it could open one. */
export interface Held {
  readonly device: bigint;
  readonly holder: RootProcess | LoopDevice | Swap;
  /** What it has it as: `its working directory`. */
  readonly use: string;
}

interface LoopDevice {
  /** `/dev/loop0`. */
  readonly loop: string;
}

interface Swap {
  /** The path by which the kernel was given it. */
  readonly swap: string;
}

/** A mount of another mount namespace, and a process of that: the place is a path for that one. */
interface MountElsewhere extends MountEntry {
  readonly seenBy: RootProcess;
}

export interface Occupancy {
  /** The mounts of this process's mount namespace. */
  mounts(): MountEntry[];
  /** Those of all other mount namespaces that are not an ordinary user's, of one file system. */
  mountsElsewhere(device: string): MountElsewhere[];
  /** A process that has a directory as its root, be it by a mount of that. */
  rootProcess(directory: string): RootProcess | undefined;
  /**
   * By its inode, what others could write to: the working directories and roots of all processes, what those of this machine's
   * administration have open or mapped, and files behind loop devices and swap. It takes as long as these have files open.
   */
  held(): ReadonlyMap<bigint, readonly Held[]>;
}

export const occupancy: Occupancy = {
  mounts: () => parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1')),
  mountsElsewhere,
  rootProcess,
  held,
};

function mountsElsewhere(device: string): MountElsewhere[] {
  const seen = new Set([readlinkSync('/proc/self/ns/mnt')]);
  return processes().flatMap((pid) =>
    unlessEnded([], () => {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (seen.has(namespace) || isStrangers(pid)) return [];
      const found = parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'latin1'), device);
      // Not before: a stranger, or a process that ends meanwhile, says nothing of a namespace that others are in too.
      seen.add(namespace);
      if (found.length === 0) return [];
      const seenBy = tellProcess(pid);
      return found.map((mount) => ({ ...mount, seenBy }));
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
  return pid === undefined ? undefined : tellProcess(pid);
}

function tellProcess(pid: number): RootProcess {
  return { pid, name: unlessEnded('', () => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd()) };
}

function held(): ReadonlyMap<bigint, readonly Held[]> {
  const found = new Map<bigint, Held[]>();
  const add = (holder: Held['holder'], { inode, device, use }: Use) => {
    const holders = found.get(inode) ?? [];
    holders.push({ device, holder, use });
    found.set(inode, holders);
  };
  for (const { holder, ...use } of heldByKernel()) add(holder, use);
  const namespace = readlinkSync('/proc/self/ns/pid');
  for (const pid of processes()) {
    if (pid === process.pid || unlessEnded(true, () => isStrangers(pid))) continue;
    const own = unlessEnded(false, () => isAdministrations(pid, namespace));
    const all = own ? [...directoriesOf(pid), ...openIn(pid), ...mappedIn(pid)] : directoriesOf(pid);
    const who = all.length === 0 ? undefined : tellProcess(pid);
    if (who === undefined) continue;
    for (const use of all) add(who, use);
  }
  return found;
}

/** No process need have these open. Whose name is gone is in no tree: the kernel then writes ` (deleted)` behind it. */
function heldByKernel(): (Use & Pick<Held, 'holder'>)[] {
  const loops = unlessEnded([], () => readdirSync('/sys/block')).flatMap((name) => {
    const path = unlessEnded('', () => readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').replace(/\n$/, ''));
    return path === '' ? [] : [{ path, holder: { loop: `/dev/${name}` }, use: 'the file behind it' }];
  });
  const swaps = [...unlessEnded('', () => readFileSync('/proc/swaps', 'latin1')).matchAll(SWAP_FILE)].map(
    ([, name]) => {
      const path = decodeField(name as string);
      return { path, holder: { swap: path }, use: 'swap' };
    },
  );
  return [...loops, ...swaps].flatMap(({ path, ...held }) => {
    const stat = unlessEnded(undefined, () => statKnown(path));
    return stat === undefined ? [] : [{ ...stat, ...held }];
  });
}

type Use = Pick<Stat, 'inode' | 'device'> & Pick<Held, 'use'>;

/** True of a process of root, or of the user who runs lxcv, in the same namespace of processes: what others have open may be endless. */
function isAdministrations(pid: number, namespace: string): boolean {
  const { uid } = statSync(`/proc/${pid}`);
  return (uid === 0 || uid === process.geteuid?.()) && readlinkSync(`/proc/${pid}/ns/pid`) === namespace;
}

function directoriesOf(pid: number): Use[] {
  const places = [
    { path: `/proc/${pid}/cwd`, use: 'its working directory' },
    { path: `/proc/${pid}/root`, use: 'its root' },
  ];
  return places.flatMap(({ path, use }) => {
    const stat = unlessEnded(undefined, () => statKnown(path));
    return stat === undefined ? [] : [{ ...stat, use }];
  });
}

/** Directories, and files that are open for writing: that the owner may write by the link says so. */
function openIn(pid: number): Use[] {
  const directory = `/proc/${pid}/fd`;
  const names = unlessEnded([], () => readdirSync(directory));
  return names.flatMap((name) => {
    const path = `${directory}/${name}`;
    const stat = unlessEnded(undefined, () => statKnown(path));
    if (stat?.type === 'directory') return [{ ...stat, use: 'a directory that it has open' }];
    if (stat?.type !== 'file' || unlessEnded(0, () => lstatSync(path).mode & OWNER_WRITES) === 0) return [];
    return [{ ...stat, use: 'a file that it has open for writing' }];
  });
}

/** Files that are mapped to be written to, and shared: they may be closed. */
function mappedIn(pid: number): Use[] {
  const maps = unlessEnded('', () => readFileSync(`/proc/${pid}/maps`, 'latin1'));
  return [...maps.matchAll(WRITABLE_MAPPING)].flatMap(([, range]) => {
    const stat = unlessEnded(undefined, () => statKnown(`/proc/${pid}/map_files/${range}`));
    return stat?.type === 'file' ? [{ ...stat, use: 'a file that it has mapped for writing' }] : [];
  });
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

/** What a look at a process yields, or a fallback where that has ended: a zombie has no namespaces either. */
function unlessEnded<T>(fallback: T, look: () => T): T {
  try {
    return look();
  } catch {
    return fallback;
  }
}
