/**
 * An independent reader of directory trees, for comparing them bit by bit. It shares no code with the product, whose
 * own idea of a tree is what it puts to the test.
 */

import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { expect } from 'vitest';
import { getXattr, listXattrs } from './libc.js';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, S_IFMT } = constants;
const BLOCK_BYTES = 512;
const SPARSE_FROM_BYTES = 65536;
const READ_BYTES = 1 << 20;
const DIFFERENCES_SHOWN = 20;

const TYPES = new Map([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
  [constants.S_IFCHR, 'char'],
  [constants.S_IFBLK, 'block'],
] as const);

type NodeType = typeof TYPES extends Map<number, infer Type> ? Type : never;

/** All that a path is. `undefined` stands where the type has no such thing. */
interface TreeNode {
  readonly type: NodeType;
  /** The 12 permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Values as bytes by name, namespaces included: `user.`, `trusted.`, `security.`, `system.posix_acl_`. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Of a file or symbolic link, in bytes. */
  readonly size: number | undefined;
  /** Of a file: SHA-256 in hex, unless the content was not to be read. */
  readonly sha256: string | undefined;
  /** Of a file: true where at least half of it, and 64 KiB, takes no room on disk. */
  readonly sparse: boolean | undefined;
  /** Of a symbolic link: its bytes as latin1. */
  readonly target: string | undefined;
  /** Of a device node: the raw dev_t. */
  readonly device: bigint | undefined;
  /** Of what has more than one name in this tree: the first of them in byte order. */
  readonly linkedAs: string | undefined;
}

/** By path relative to the root, `''` being the root itself. A name is bytes: each character stands for one (latin1). */
export type Tree = ReadonlyMap<string, TreeNode>;

export interface ReadOptions {
  /** False: leave `sha256` out. */
  readonly content?: boolean;
  /** Names of extended attributes to leave out: {@link OVERLAY_XATTRS}, say. */
  readonly omitXattrs?: RegExp;
}

/** What overlayfs notes on the files of an upper directory. A mounted overlay does not show them. */
export const OVERLAY_XATTRS = /^(trusted|user)\.overlay\./;

/** Reads a tree as root sees it. Paths longer than PATH_MAX are fine; the tree must not change meanwhile. */
export function readTree(root: string, options: ReadOptions = {}): Tree {
  const tree = new Map<string, TreeNode>();
  const pathsByInode = new Map<string, string[]>();

  const visit = (at: Buffer, path: string): void => {
    const stat = lstatSync(at, { bigint: true });
    tree.set(path, readNode(at, stat, options));
    if (stat.isDirectory()) {
      visitChildren(at, path);
    } else {
      const inode = `${stat.dev}:${stat.ino}`;
      pathsByInode.set(inode, [...(pathsByInode.get(inode) ?? []), path]);
    }
  };
  const visitChildren = (at: Buffer, path: string): void => {
    const fd = openSync(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      for (const name of readdirSync(`/proc/self/fd/${fd}`, 'latin1')) {
        visit(Buffer.from(`/proc/self/fd/${fd}/${name}`, 'latin1'), path === '' ? name : `${path}/${name}`);
      }
    } finally {
      closeSync(fd);
    }
  };

  visit(Buffer.from(root), '');
  for (const paths of pathsByInode.values()) {
    if (paths.length < 2) continue;
    const [linkedAs] = paths.sort();
    for (const path of paths) tree.set(path, { ...(tree.get(path) as TreeNode), linkedAs });
  }
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export interface CompareOptions {
  /** True for a difference that does not count. `attribute` is as in the lines: `mode`, `mtime`, `xattr user.x`, ... */
  readonly ignore?: (path: string, attribute: string) => boolean;
}

/** To be ignored between mounts of one tree: a fresh upper brings a modification time of its own for the root. */
export function rootMtime(path: string, attribute: string): boolean {
  return path === '' && attribute === 'mtime';
}

/** One line for each difference, in the order of the paths; none where the trees are the same. */
export function compareTrees(actual: Tree, expected: Tree, { ignore = () => false }: CompareOptions = {}): string[] {
  const differences: string[] = [];
  for (const path of new Set([...expected.keys(), ...actual.keys()].sort())) {
    const is = attributes(actual.get(path));
    const shouldBe = attributes(expected.get(path));
    const changed = [...new Set([...shouldBe.keys(), ...is.keys()])].filter((key) => is.get(key) !== shouldBe.get(key));
    for (const attribute of changed.includes('type') ? ['type'] : changed) {
      if (ignore(path, attribute)) continue;
      const [value, wanted] = [is.get(attribute) ?? 'none', shouldBe.get(attribute) ?? 'none'];
      differences.push(`/${printable(path)}: ${attribute} is ${value}, should be ${wanted}`);
    }
  }
  return differences;
}

/** Fails the test with the first differences, if there are any. */
export function expectSameTree(actual: Tree, expected: Tree, options?: CompareOptions): void {
  const differences = compareTrees(actual, expected, options);
  const rest = differences.length - DIFFERENCES_SHOWN;
  const shown = [...differences.slice(0, DIFFERENCES_SHOWN), ...(rest > 0 ? [`... and ${rest} more`] : [])];
  expect(differences.length, `the trees differ:\n${shown.join('\n')}\n`).toBe(0);
}

function readNode(at: Buffer, stat: BigIntStats, { content = true, omitXattrs }: ReadOptions): TreeNode {
  const type = TYPES.get(Number(stat.mode) & S_IFMT);
  if (type === undefined) throw new Error(`${at.toString('latin1')} is of no type that Linux has`);
  const xattrs = listXattrs(at).filter((name) => !omitXattrs?.test(name));
  const size = Number(stat.size);
  const unallocated = size - Number(stat.blocks) * BLOCK_BYTES;
  return {
    type,
    mode: Number(stat.mode) & ~S_IFMT,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeNs: stat.mtimeNs,
    xattrs: new Map(xattrs.sort().map((name) => [name, getXattr(at, name)])),
    size: type === 'file' || type === 'symlink' ? size : undefined,
    sha256: type === 'file' && content ? hashFile(at) : undefined,
    sparse: type === 'file' ? unallocated >= Math.max(size / 2, SPARSE_FROM_BYTES) : undefined,
    target: type === 'symlink' ? readlinkSync(at, 'latin1') : undefined,
    device: type === 'char' || type === 'block' ? stat.rdev : undefined,
    linkedAs: undefined,
  };
}

function hashFile(at: Buffer): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const fd = openSync(at, O_RDONLY | O_NOFOLLOW);
  try {
    for (let read = 1; read > 0; ) {
      read = readSync(fd, buffer);
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

/** A node as text by attribute; empty for a path that is not there. */
function attributes(node: TreeNode | undefined): ReadonlyMap<string, string> {
  if (node === undefined) return new Map();
  const all: [string, string | number | bigint | boolean | undefined][] = [
    ['type', node.type],
    ['mode', `0${node.mode.toString(8)}`],
    ['owner', `${node.uid}:${node.gid}`],
    ['mtime', node.mtimeNs],
    ['size', node.size],
    ['sha256', node.sha256],
    ['sparse', node.sparse],
    ['target', node.target && printable(node.target)],
    ['device', node.device],
    ['hard link', node.linkedAs === undefined ? undefined : `with /${printable(node.linkedAs)}`],
    ...[...node.xattrs].map(([name, value]): [string, string] => [`xattr ${name}`, `0x${value.toString('hex')}`]),
  ];
  return new Map(all.flatMap(([attribute, value]) => (value === undefined ? [] : [[attribute, String(value)]])));
}

/** Text for a terminal: what is not printable ASCII becomes `\xNN`. */
function printable(bytes: string): string {
  return bytes.replace(/[^ -~]|\\/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
