/**
 * A seeded storm of file operations, such as the root of a container could make: every type of file, odd names, links,
 * renames, changes of type, attributes. The same seed on the same tree does the same.
 */

import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  type Dirent,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { listXattrs, makeNode, removeXattr, setMtime, setXattr } from './libc.js';

const { S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK } = constants;
const KIB = 1024;
const MIB = 1024 * KIB;
const MAX_DEPTH = 8;

/** Names as bytes (latin1): what a careless program trips over. A number follows, so that there can be many of each. */
const ODD_NAMES = [
  'line\nbreak',
  'tab\t',
  '\x1b[31mred\x1b[0m',
  '\x7f\r\b',
  '\xff\xfe',
  '\xc3\xbcml\xc3\xa4ut',
  '-rf',
  ' ',
  '.hidden',
  '...',
  '.wh.',
  'a:b,c=d\\',
  '"\'$(id)`*?',
  'L'.repeat(252),
];
const SYMLINK_TARGETS = [
  '.',
  '..',
  '../../..',
  '/etc/passwd',
  '/dangling',
  'dangling/too',
  '../\xff\n',
  `${'far/'.repeat(200)}away`,
];
const OWNERS = [0, 1, 1000, 65534, 100_000, 4_294_967_294];
const MODES = [0o000, 0o400, 0o644, 0o755, 0o777, 0o1777, 0o2755, 0o4755, 0o6711, 0o7777];
const XATTR_NAMES = ['user.a', 'user.b', 'user.\xff\n', 'trusted.a', 'trusted.\xe9'];
const DEVICES = [
  { major: 1, minor: 3 },
  { major: 7, minor: 0 },
  { major: 5, minor: 1 },
];

/** A step of the storm: does one thing, or returns false where the tree has nothing that it could be done to. */
type Operation = (scene: Scene) => unknown;

const OPERATIONS = {
  createEmpty: ({ fresh }) => writeFileSync(fresh(), ''),
  createSmall: ({ fresh, random }) => writeFileSync(fresh(), random.bytes(1 + random.below(8 * KIB))),
  createLarge: ({ fresh, random }) => random.below(8) === 0 && writeFileSync(fresh(), random.bytes(5 * MIB)),
  createSparse: ({ fresh, random }) =>
    writeAt(fresh(), 'w', random.below(4 * MIB), random.bytes(64), random.below(8 * MIB)),
  createDirectories: ({ fresh, random }) => {
    const top = fresh();
    mkdirSync(top);
    for (let at = top, more = random.below(4); more > 0; more -= 1) {
      at = child(at, Buffer.from(`d${more}`));
      mkdirSync(at);
    }
  },
  createFifo: ({ fresh }) => makeNode(fresh(), S_IFIFO | 0o640, { major: 0, minor: 0 }),
  createSocket: ({ fresh }) => makeNode(fresh(), S_IFSOCK | 0o755, { major: 0, minor: 0 }),
  createCharDevice: ({ fresh, random }) => makeNode(fresh(), S_IFCHR | 0o666, random.pick(DEVICES)),
  createBlockDevice: ({ fresh, random }) => makeNode(fresh(), S_IFBLK | 0o660, random.pick(DEVICES)),
  symlink: ({ fresh, random }) => symlinkSync(Buffer.from(random.pick(SYMLINK_TARGETS), 'latin1'), fresh()),
  symlinkToEntry: ({ any, fresh, inside, random }) =>
    on(any(), (path) => symlinkSync(inside(path).subarray(random.below(2)), fresh())),
  hardLink: ({ any, fresh }) => on(any(isNotDirectory), (path) => linkSync(path, fresh())),

  append: ({ any, random }) => on(any(isFile), (path) => appendFileSync(path, random.bytes(random.below(4 * KIB)))),
  shrink: ({ any, random }) => on(any(isFile), (path) => truncateSync(path, random.below(lstatSync(path).size + 1))),
  overwrite: ({ any, random }) =>
    on(any(isFile), (path) => writeAt(path, 'r+', random.below(lstatSync(path).size + 1), random.bytes(100))),
  addHole: ({ any, random }) =>
    on(any(isFile), (path) => {
      const { size } = lstatSync(path);
      if (size < 16 * MIB) writeAt(path, 'r+', size + random.below(2 * MIB), random.bytes(100), size + 3 * MIB);
    }),

  chmod: ({ any, random }) => on(any(isNotSymlink), (path) => chmodSync(path, random.pick(MODES))),
  chown: ({ any, random }) => on(any(), (path) => lchownSync(path, random.pick(OWNERS), random.pick(OWNERS))),
  setMtime: ({ any, random }) => on(any(), (path) => setMtime(path, random.mtimeNs())),
  setXattr: ({ any, random }) =>
    on(any(isFileOrDirectory), (path) => setXattr(path, random.pick(XATTR_NAMES), random.bytes(random.below(300)))),
  setXattrOnOther: ({ any, random }) =>
    on(any(isNotFileOrDirectory), (path) => setXattr(path, 'trusted.a', random.bytes(20))),
  removeXattr: ({ any, random }) =>
    on(any(hasXattr), (path) => removeXattr(path, random.pick(listXattrs(path).filter(isOwnXattr)))),
  setCapability: ({ any, random }) =>
    on(any(isFile), (path) => setXattr(path, 'security.capability', capability(random))),
  setAcl: ({ any, random }) =>
    on(any(isFileOrDirectory), (path) => setXattr(path, 'system.posix_acl_access', acl(random))),
  setDefaultAcl: ({ any, random }) =>
    on(any(isDirectory), (path) => setXattr(path, 'system.posix_acl_default', acl(random))),

  rename: ({ any, fresh }) => on(any(isNotDirectory), (path) => renameSync(path, fresh())),
  renameOver: ({ any }) =>
    on(any(isNotDirectory), (path) => on(any(isNotDirectory), (victim) => renameSync(path, victim))),
  renameDirectory: ({ any, fresh, inside }) =>
    on(any(isDirectory), (path) => {
      const target = fresh();
      const intoItself = target.subarray(0, path.length + 1).equals(child(path, Buffer.alloc(0)));
      // Never deeper than before, so that no number of renames makes paths that exceed PATH_MAX.
      if (intoItself || depth(inside(target)) > depth(inside(path))) return false;
      return moveDirectory(path, target);
    }),
  fileToDirectory: ({ any }) =>
    on(any(isNotDirectory), (path) => {
      unlinkSync(path);
      mkdirSync(path);
      writeFileSync(child(path, Buffer.from('was a file')), 'inside');
    }),
  fileToOther: ({ any, random }) =>
    on(any(isFile), (path) => {
      unlinkSync(path);
      if (random.below(2) === 0) symlinkSync('/etc/shadow', path);
      else makeNode(path, S_IFIFO | 0o600, { major: 0, minor: 0 });
    }),
  directoryToFile: ({ any }) =>
    on(any(isDirectory), (path) => {
      removeTree(path);
      writeFileSync(path, 'was a directory');
    }),
  directoryToSymlink: ({ any }) =>
    on(any(isDirectory), (path) => {
      removeTree(path);
      symlinkSync('/etc', path);
    }),
  recreateDirectory: ({ any, random }) =>
    on(any(isDirectory), (path) => {
      removeTree(path);
      mkdirSync(path);
      if (random.below(2) === 0) writeFileSync(child(path, Buffer.from('new')), 'opaque');
    }),
  remove: ({ any }) => on(any(isNotDirectory), (path) => unlinkSync(path)),
  removeDirectory: ({ any, random }) => random.below(3) === 0 && on(any(isDirectory), (path) => removeTree(path)),
} satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];

export interface StormOptions {
  readonly seed: number;
  /** How many operations. */
  readonly steps: number;
}

/** Changes the tree below `root`; returns what it did, in order. What the file system refuses is thrown. */
export function storm(root: string, { seed, steps }: StormOptions): OperationName[] {
  const scene = createScene(Buffer.from(root), new Random(seed));
  const log: OperationName[] = [];
  while (log.length < steps) {
    const name = scene.random.pick(OPERATION_NAMES);
    if (OPERATIONS[name](scene) !== false) log.push(name);
  }
  return log;
}

interface Scene {
  readonly random: Random;
  /** Some path below the root that the test holds for, if it meets one. Never the root itself. */
  any(test?: (path: Buffer) => boolean): Buffer | undefined;
  /** A path at which nothing is yet, in some directory. */
  fresh(): Buffer;
  /** A path as one sees it whose root this is: `/bin/sh`. */
  inside(path: Buffer): Buffer;
}

function createScene(root: Buffer, random: Random): Scene {
  const directory = (): Buffer => {
    let at = root;
    for (let depth = 0; depth < MAX_DEPTH && random.below(5) > 0; depth += 1) {
      const below = list(at).filter((entry) => entry.isDirectory());
      if (below.length === 0) break;
      at = child(at, random.pick(below).name);
    }
    return at;
  };
  return {
    random,
    any(test = () => true) {
      for (let tries = 0; tries < 20; tries += 1) {
        const parent = directory();
        const entries = list(parent);
        if (entries.length === 0) continue;
        const path = child(parent, random.pick(entries).name);
        if (test(path)) return path;
      }
      return undefined;
    },
    fresh() {
      for (;;) {
        const name = random.below(2) === 0 ? random.pick(ODD_NAMES) : 'n';
        const path = child(directory(), Buffer.from(`${name}${random.below(1000)}`, 'latin1'));
        if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return path;
      }
    },
    inside: (path) => path.subarray(root.length),
  };
}

/** mulberry32: small, and the same on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.#next() % limit;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  bytes(length: number): Buffer {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let i = 0; i < words.length; i += 1) words[i] = this.#next();
    return Buffer.from(words.buffer, 0, length);
  }

  /** From 1938 to 2242, which ext4 can hold. */
  mtimeNs(): bigint {
    return BigInt(this.below(9_600_000) - 1_000_000) * 1_000_000_000_000n + BigInt(this.below(1_000_000_000));
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}

const isFile = (path: Buffer): boolean => lstatSync(path).isFile();
const isDirectory = (path: Buffer): boolean => lstatSync(path).isDirectory();
const isNotDirectory = (path: Buffer): boolean => !isDirectory(path);
const isNotSymlink = (path: Buffer): boolean => !lstatSync(path).isSymbolicLink();
const isFileOrDirectory = (path: Buffer): boolean => isFile(path) || isDirectory(path);
const isNotFileOrDirectory = (path: Buffer): boolean => !isFileOrDirectory(path);
const isOwnXattr = (name: string): boolean => XATTR_NAMES.includes(name);
const hasXattr = (path: Buffer): boolean => listXattrs(path).some(isOwnXattr);

function on(path: Buffer | undefined, operate: (path: Buffer) => unknown): unknown {
  return path === undefined ? false : operate(path);
}

function depth(path: Buffer): number {
  return path.filter((byte) => byte === 0x2f).length;
}

/** A directory's entries in byte order: the kernel's order differs from file system to file system. */
function list(directory: Buffer): Dirent<Buffer>[] {
  return readdirSync(directory, { encoding: 'buffer', withFileTypes: true }).sort((a, b) => a.name.compare(b.name));
}

function child(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name]);
}

function writeAt(path: Buffer, flags: 'w' | 'r+', offset: number, bytes: Buffer, size?: number): void {
  const fd = openSync(path, flags);
  try {
    writeSync(fd, bytes, 0, bytes.length, offset);
    if (size !== undefined) ftruncateSync(fd, size);
  } finally {
    closeSync(fd);
  }
}

function removeTree(path: Buffer): void {
  rmSync(path, { recursive: true });
}

/** Entry by entry where overlayfs does not rename a directory of a lower layer: redirect_dir is off. */
function moveDirectory(from: Buffer, target: Buffer): void {
  try {
    renameSync(from, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    mkdirSync(target);
    for (const entry of list(from)) {
      const move = entry.isDirectory() ? moveDirectory : renameSync;
      move(child(from, entry.name), child(target, entry.name));
    }
    rmdirSync(from);
  }
}

/** A vfs_cap_data of revision 2: CAP_NET_BIND_SERVICE and CAP_NET_RAW or one of them, effective. See capability.h. */
function capability(random: Random): Buffer {
  const effectiveRevision2 = 0x02000001;
  return littleEndian32(effectiveRevision2, random.pick([1 << 10, 1 << 13, (1 << 10) | (1 << 13)]), 0, 0, 0);
}

/** A POSIX ACL with a named user and a mask, as acl(5) lists them, in the form of linux/posix_acl_xattr.h. */
function acl(random: Random): Buffer {
  const version = 2;
  const nobody = 0xffffffff;
  const entry = (tag: number, permissions: number, id = nobody) => [tag | (permissions << 16), id];
  return littleEndian32(
    version,
    ...entry(0x01, 7),
    ...entry(0x02, random.below(8), random.pick([1, 1000, 100_000])),
    ...entry(0x04, random.below(8)),
    ...entry(0x10, random.below(8)),
    ...entry(0x20, random.below(8)),
  );
}

function littleEndian32(...words: number[]): Buffer {
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => {
    bytes.writeUInt32LE(word, index * 4);
  });
  return bytes;
}
