/** What lies under a path, as stat(2) tells it. */

import { type BigIntStats, constants, fstatSync, lstatSync, statSync } from 'node:fs';
import type { EntryType } from '../model/entry.js';
import { joinNs, splitNs } from '../model/timestamp.js';
import { AT_FDCWD, belowDescriptor, type HostPath, isBound, libc } from './libc.js';
import { statx, statxAt, statxOf, statxOpen, statxTarget } from './native.js';

/** lstat(2)'s answer: `mode` is the permission bits alone (12 of them), times are nanoseconds since the epoch. */
export interface Stat {
  readonly type: EntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly device: bigint;
  readonly inode: bigint;
  readonly links: number;
  /** The bytes that it occupies on disk. */
  readonly allocated: number;
  /** The raw dev_t of a device node; 0n is overlayfs's whiteout. */
  readonly rawDevice: bigint;
}

const { S_IFMT } = constants;

export const TYPE_BITS: Readonly<Record<EntryType, number>> = {
  file: constants.S_IFREG,
  directory: constants.S_IFDIR,
  symlink: constants.S_IFLNK,
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
  char: constants.S_IFCHR,
  block: constants.S_IFBLK,
};
const TYPES = new Map(Object.entries(TYPE_BITS).map(([type, bits]) => [bits, type as EntryType]));

/** To throw an error for a name that is not there takes longer than to look. */
const IF_THERE = { bigint: true, throwIfNoEntry: false } as const;

/** After so many calls it would have been worth to load the binding for them. */
const NODE_CALLS_MAX = 2_000;
let nodeCalls = 0;
/** To look at so many takes Node longer than to load the binding, and look at them through that. */
const LOOKS_WORTH_BINDING = 500;

/** lstat(2): by the binding once that is loaded, which takes less than half as long as Node does, and by Node until then. */
export function stat(path: HostPath): Stat | undefined {
  if (isBound() || nodeCalls >= NODE_CALLS_MAX) return fromStatx(statx(path));
  nodeCalls += 1;
  return fromNode(lstatSync(path, IF_THERE));
}

/** stat(2), which follows a symbolic link. */
export function statTarget(path: HostPath): Stat | undefined {
  return isBound() ? fromStatx(statxTarget(path)) : fromNode(statSync(path, IF_THERE));
}

/** What tells of an open file whether it is what it must be: to make all of a `Stat` takes as long as the call. */
export type OpenStat = Pick<Stat, 'type' | 'mode' | 'uid' | 'gid' | 'size'>;

export function statOpen(fd: number): OpenStat {
  if (!isBound()) return fromNode(fstatSync(fd, { bigint: true })) as Stat;
  const view = statxOpen(fd);
  const mode = view.getUint16(28, true);
  return {
    type: typeOf(mode),
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    size: Number(view.getBigUint64(40, true)),
  };
}

/** linux/stat.h: the inode and the type, by what the system has in memory. */
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_TYPE_AND_INODE = 0x101;

/** The type, device and inode of what a path leads to: no server is asked, and no program that is a file system. */
export function statKnown(path: HostPath): Pick<Stat, 'type' | 'device' | 'inode'> | undefined {
  const view = statxOf(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE_AND_INODE);
  if (view === undefined) return undefined;
  return {
    type: typeOf(view.getUint16(28, true)),
    device: deviceNumber(view, 136),
    inode: view.getBigUint64(32, true),
  };
}

/** See `Files`. */
export function expectLooks(count: number): void {
  if (count >= LOOKS_WORTH_BINDING) libc();
}

/** Where a struct statx has inode and size, and the times of change and modification, in words of four bytes. */
const STAMP_WORDS = [8, 9, 10, 11, 24, 25, 26, 27, 28, 29, 30, 31] as const;
const WORD_BYTES = 4;
/** Of base64, which has four for three bytes. */
const STAMP_CHARACTERS = (STAMP_WORDS.length * WORD_BYTES * 4) / 3;

/**
 * See `Files`. All are made text at once: for each by itself that would take a fourth of the time.
 * @param statxOf what lies under a name, of which only inode, size and both times are used.
 */
export function stampsOf(
  names: readonly string[],
  statxOf: (name: string) => DataView | undefined,
): (string | undefined)[] {
  const words = new DataView(new ArrayBuffer(names.length * STAMP_WORDS.length * WORD_BYTES));
  let at = 0;
  const isThere = names.map((name) => {
    const found = statxOf(name);
    for (const word of STAMP_WORDS) {
      if (found !== undefined) words.setInt32(at, found.getInt32(word * WORD_BYTES));
      at += WORD_BYTES;
    }
    return found !== undefined;
  });
  const text = Buffer.from(words.buffer).toString('base64');
  return isThere.map((is, index) =>
    is ? text.slice(index * STAMP_CHARACTERS, (index + 1) * STAMP_CHARACTERS) : undefined,
  );
}

/** Looks up names below an open directory as `stat` does, and tells a struct statx, as far as a stamp needs it. */
export function statxBelow(directory: string): (name: string) => DataView | undefined {
  const below = isBound() ? belowDescriptor(directory) : undefined;
  if (below !== undefined) return (name) => statxAt(below.directory, name);
  return (name) => asStatx(lstatSync(`${directory}/${name}`, IF_THERE));
}

function asStatx(stats: BigIntStats | undefined): DataView | undefined {
  if (stats === undefined) return undefined;
  const view = new DataView(new ArrayBuffer(128));
  view.setBigUint64(32, stats.ino, true);
  view.setBigUint64(40, stats.size, true);
  setMoment(view, stats.ctimeNs, 96);
  setMoment(view, stats.mtimeNs, 112);
  return view;
}

/** A struct statx_timestamp: nanoseconds count upwards also before 1970. */
function setMoment(view: DataView, ns: bigint, at: number): void {
  const { seconds, nanoseconds } = splitNs(ns);
  view.setBigInt64(at, seconds, true);
  view.setUint32(at + 8, Number(nanoseconds), true);
}

function fromNode(stats: BigIntStats | undefined): Stat | undefined {
  if (stats === undefined) return undefined;
  const mode = Number(stats.mode);
  return {
    type: typeOf(mode),
    mode: mode & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    device: stats.dev,
    inode: stats.ino,
    links: Number(stats.nlink),
    allocated: Number(stats.blocks) * 512,
    rawDevice: stats.rdev,
  };
}

/** @param view struct statx, of linux/stat.h. */
function fromStatx(view: DataView | undefined): Stat | undefined {
  if (view === undefined) return undefined;
  const mode = view.getUint16(28, true);
  return {
    type: typeOf(mode),
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    size: Number(view.getBigUint64(40, true)),
    mtimeNs: timestamp(view, 112),
    ctimeNs: timestamp(view, 96),
    device: deviceNumber(view, 136),
    inode: view.getBigUint64(32, true),
    links: view.getUint32(16, true),
    allocated: Number(view.getBigUint64(48, true)) * 512,
    rawDevice: deviceNumber(view, 128),
  };
}

function typeOf(mode: number): EntryType {
  const type = TYPES.get(mode & S_IFMT);
  if (type === undefined) throw new Error(`file type ${mode & S_IFMT} is none that Linux has`);
  return type;
}

/** struct statx_timestamp, in nanoseconds. */
function timestamp(view: DataView, at: number): bigint {
  return joinNs(view.getBigInt64(at, true), BigInt(view.getUint32(at + 8, true)));
}

/** A major and a minor number as the dev_t that glibc's makedev(3) makes of them. */
function deviceNumber(view: DataView, at: number): bigint {
  const major = view.getUint32(at, true);
  const minor = view.getUint32(at + 4, true);
  if (major < 0x1000 && minor < 0x100) return BigInt(major * 0x100 + minor);
  const high = BigInt(major);
  const low = BigInt(minor);
  return ((high & ~0xfffn) << 32n) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | (low & 0xffn);
}
