/**
 * A model of what a disk holds after a power cut. `PowerLoss` watches the calls by which lxcv changes files, and keeps for each
 * small change what it depends on, and for each sync what it made durable. A cut at any of the calls can then leave any set of
 * changes that includes what was made durable: file systems write the rest when, and in the order that, they choose.
 *
 * A sync of a file makes its bytes, attributes and first name durable, with the directories above that; a sync of a directory the
 * names in it; of a file system, everything. What is changed not by lxcv but by LXC or the kernel is not on the disk of the model.
 */

import {
  chmodSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Host } from '../../src/host/host.js';
import { type Call, intercept } from './changing-calls.mjs';
import { getXattr, listXattrs, makeNode, setMtime, setXattr } from './libc.js';
import type { Random } from './storm.js';

const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } = constants;
const LINKS_FOLLOWED = 10;
const OPEN_DIRECTORY = /^\/proc\/self\/fd\/(\d+)(\/.*)?$/s;

/** What a file system may have written of what nobody synced. */
export const CUTS = {
  /** Nothing. */
  nothing: 'nothing that was not synced',
  /** A journal with all changes but those of contents. */
  names: 'all but the contents that were not synced',
  /** The journal up to some moment; contents too, by chance. */
  beginning: 'the changes up to some moment',
  /** Whatever takes a name away, and the rest only where that needs it. */
  removals: 'the removals and renames that were not synced, and of the rest what they need',
  /** By chance. */
  some: 'some of what was not synced',
} as const;

export type Cut = keyof typeof CUTS;

/** A directory whose changes are watched. */
export interface Watched {
  readonly path: string;
  /** Names in it that nothing changes, which are left as they are. */
  readonly except: readonly string[];
}

type NodeId = number;

/** What an inode is; a directory's names lead to others. */
interface Inode {
  /** With the type. */
  mode: number;
  uid: number;
  gid: number;
  mtimeNs: bigint;
  xattrs: Map<string, Buffer>;
  device: bigint;
  /** Of a file its bytes, of a symbolic link its target. */
  content: Buffer;
  names: Map<string, NodeId>;
}

type Disk = Map<NodeId, Inode>;
type Attributes = Pick<Inode, 'mode' | 'uid' | 'gid' | 'mtimeNs'>;

interface Change {
  /** The number of the call that made it. */
  readonly call: number;
  readonly kind: 'name' | 'removal' | 'attributes' | 'content' | 'appended';
  /** Whatever must be on the disk before this can be, by number. */
  readonly needs: readonly number[];
  /** Syncs of these inodes make it durable. */
  readonly syncedWith: readonly NodeId[];
  /** @param share of a content: how much of it was written. */
  readonly apply: (disk: Disk, share: Share) => void;
}

/** How much of a content is on the disk: all of it, its first half, or zeros in its place. */
type Share = 'whole' | 'half' | 'zeros';

interface Sync {
  readonly call: number;
  /** undefined for the file system. */
  readonly node: NodeId | undefined;
}

/** What is on the disk of the changes, by number. */
type Kept = ReadonlyMap<number, Share>;

export class PowerLoss {
  /** The calls that were made, in order, each as the method and the path. */
  readonly calls: string[] = [];
  private readonly before: Disk;
  private readonly now: Disk;
  private readonly roots = new Map<string, NodeId>();
  private readonly changes: Change[] = [];
  private readonly syncs: Sync[] = [];
  /** The change that an entry, or an inode, was made or last changed by. */
  private readonly latest = new Map<string, number>();
  /** Inode numbers of the machine: the operation log holds some. */
  private readonly numbers = new Map<string, NodeId>();
  private count = 0;

  constructor(private readonly watched: readonly Watched[]) {
    const disk: Disk = new Map();
    for (const { path, except } of watched) this.roots.set(path, this.readNode(disk, path, except));
    this.now = disk;
    this.before = copyOf(disk);
  }

  /** A machine on which this watches, until nothing more is done there. */
  host(machine: Host): Host {
    const watch: Call = (name, args, act) => {
      const paths = args.map((arg) => (isPath(arg) ? absolute(arg) : ''));
      const result = act();
      if (!(result instanceof Promise)) {
        this.note(name, args, paths);
        return result;
      }
      return result.then((value) => {
        this.note(name, args, paths);
        return value;
      });
    };
    return intercept(machine, watch);
  }

  /**
   * Chooses what is on the disk after a power cut.
   * @param at before which of the calls it comes.
   */
  choose(at: number, cut: Cut, random: Random): Kept {
    const kept = new Map<number, Share>();
    const keep = (number: number, share: Share = 'whole') => {
      if (kept.get(number) === 'whole') return;
      kept.set(number, share);
      for (const need of (this.changes[number] as Change).needs) keep(need);
    };
    // The new size of a file that was there is a change of the journal, which has what was done before it to names.
    const keepJournal = (end: number) => {
      for (const number of made) {
        if (number < end && /^(name|removal)$/.test((this.changes[number] as Change).kind)) keep(number);
      }
    };
    const made = [...this.changes.keys()].filter((number) => (this.changes[number] as Change).call < at);
    for (const number of made) if (this.isDurable(number, at)) keep(number);
    const loose = made.filter((number) => !kept.has(number));
    const moment = random.below(loose.length + 1);
    for (const [index, number] of loose.entries()) {
      const { kind } = this.changes[number] as Change;
      const isContent = kind === 'content' || kind === 'appended';
      const byChance = random.below(2) === 0;
      const share = isContent ? random.pick(['whole', 'half', 'zeros'] as const) : 'whole';
      if (cut === 'names' && !isContent) keep(number);
      if (cut === 'beginning' && index < moment && (!isContent || byChance)) keep(number, share);
      if (cut === 'removals' && kind === 'removal') keep(number);
      if (cut === 'some' && byChance) keep(number, share);
      if (cut === 'some' && byChance && kind === 'appended') keepJournal(number);
    }
    return new Map([...kept].sort(([a], [b]) => a - b));
  }

  /** Makes the machine's directories what they are after a power cut. */
  restore(kept: Kept): void {
    const disk = copyOf(this.before);
    for (const [number, share] of kept) this.changes[number]?.apply(disk, share);
    const made = new Map<NodeId, string>();
    const logs: string[] = [];
    for (const { path, except } of this.watched) {
      for (const name of readdirSync(path)) {
        if (!except.includes(name)) rmSync(`${path}/${name}`, { recursive: true });
      }
      write(disk, this.roots.get(path) as NodeId, path, made, logs);
    }
    for (const log of logs) this.renumber(log, made);
  }

  private isDurable(number: number, at: number): boolean {
    const { call, syncedWith } = this.changes[number] as Change;
    return this.syncs.some(
      (sync) => sync.call >= call && sync.call < at && (sync.node === undefined || syncedWith.includes(sync.node)),
    );
  }

  /** The log tells files by their inode numbers, which are others now. One that is lost is none that there is. */
  private renumber(log: string, made: ReadonlyMap<NodeId, string>): void {
    const text = readFileSync(log, 'latin1').replaceAll(/"inode":"(\d+)"/g, (_, number: string) => {
      const path = made.get(this.numbers.get(number) ?? -1);
      return `"inode":"${path === undefined ? 0 : lstatSync(path).ino}"`;
    });
    const { mode, mtimeNs } = lstatSync(log, { bigint: true });
    writeFileSync(log, text, { encoding: 'latin1', mode: Number(mode) });
    setMtime(bytes(log), mtimeNs);
  }

  private readNode(disk: Disk, path: string, except: readonly string[]): NodeId {
    const stat = lstatSync(bytes(path), { bigint: true });
    const known = stat.nlink > 1n && !stat.isDirectory() ? this.numbers.get(`${stat.ino}`) : undefined;
    if (known !== undefined) return known;
    const node = this.newNode(path);
    const inode = inodeAt(path);
    disk.set(node, inode);
    if (stat.isDirectory()) {
      for (const name of readdirSync(bytes(path), 'latin1')) {
        if (!except.includes(name)) inode.names.set(name, this.readNode(disk, `${path}/${name}`, []));
      }
    }
    return node;
  }

  private newNode(path: string): NodeId {
    this.count += 1;
    this.numbers.set(`${lstatSync(bytes(path), { bigint: true }).ino}`, this.count);
    return this.count;
  }

  private note(name: string, args: readonly unknown[], paths: readonly string[]): void {
    const [first = '', second = ''] = paths;
    this.calls.push(`${name} ${first}`);
    switch (name) {
      case 'create':
      case 'append':
        if (this.find(first) === undefined) this.makeName(first, true);
        this.changeContent(first, contentOf(args[1]), name === 'append');
        break;
      case 'copyBytes':
      case 'copyContent':
        this.makeName(second, true);
        this.changeContent(second, readFileSync(bytes(second)), false);
        break;
      case 'updateContent':
        this.changeContent(second, readFileSync(bytes(second)), false);
        break;
      case 'copyFlags':
      case 'copyProject':
      case 'stopInheriting':
        break;
      case 'mkdir':
      case 'makeNode':
        this.makeName(first);
        break;
      case 'symlink':
        this.makeName(second);
        break;
      case 'link':
        this.linkName(first, second);
        break;
      case 'unlink':
      case 'rmdir':
        this.removeName(first);
        break;
      case 'rename':
      case 'renameNew':
        this.moveName(first, second, false);
        break;
      case 'exchange':
        this.moveName(first, second, true);
        break;
      case 'truncate':
        this.truncate(first, Number(args[1]));
        break;
      case 'chmod':
      case 'chown':
      case 'setMtime':
        this.changeAttributes(first);
        break;
      case 'setXattr':
      case 'removeXattr':
        this.changeXattr(first, String(args[1]));
        break;
      case 'sync':
        this.syncs.push({ call: this.calls.length - 1, node: this.require(first) });
        break;
      case 'syncFileSystem':
      case 'syncFileSystemAside':
        this.syncs.push({ call: this.calls.length - 1, node: undefined });
        break;
      case 'start':
      case 'stop':
      case 'freeze':
      case 'thaw':
      case 'end of freeze':
        break;
      default:
        throw new Error(`the model of a power cut does not know ${name}: see test/support/power-loss.ts`);
    }
  }

  private makeName(path: string, isEmpty = false): void {
    const { parent, name } = this.parentOf(path);
    const node = this.newNode(path);
    const inode = inodeAt(path);
    if (isEmpty) inode.content = Buffer.alloc(0);
    const times = mtimeAbove(path);
    this.change('name', [entry(parent, name), inodeKey(node)], [inodeKey(parent)], [parent, node], (disk) => {
      disk.set(node, copyOfInode(inode));
      namesOf(disk, parent, times).set(name, node);
    });
  }

  private linkName(from: string, to: string): void {
    const node = this.require(from);
    const { parent, name } = this.parentOf(to);
    const times = mtimeAbove(to);
    this.change('name', [entry(parent, name)], [inodeKey(parent), inodeKey(node)], [parent], (disk) => {
      namesOf(disk, parent, times).set(name, node);
    });
  }

  /** What LXC and the kernel made may go without a trace. */
  private removeName(path: string): void {
    if (this.find(path) === undefined) return;
    const { parent, name } = this.parentOf(path);
    const times = mtimeAbove(path);
    // A directory goes when all that was in it did.
    const inside = [...this.latest.keys()].filter((key) => key.startsWith(`${this.require(path)}/`));
    this.change('removal', [entry(parent, name)], [inodeKey(parent), ...inside], [parent], (disk) => {
      namesOf(disk, parent, times).delete(name);
    });
  }

  private moveName(from: string, to: string, isExchange: boolean): void {
    const node = this.require(from);
    const other = isExchange ? this.require(to) : undefined;
    const [a, b] = [this.parentOf(from), this.parentOf(to)];
    const times = { from: mtimeAbove(from), to: mtimeAbove(to) };
    const entries = [entry(a.parent, a.name), entry(b.parent, b.name)];
    const parents = [inodeKey(a.parent), inodeKey(b.parent)];
    this.change('removal', entries, parents, [a.parent, b.parent], (disk) => {
      const names = namesOf(disk, a.parent, times.from);
      if (other === undefined) names.delete(a.name);
      else names.set(a.name, other);
      namesOf(disk, b.parent, times.to).set(b.name, node);
    });
  }

  private changeContent(path: string, content: Buffer, isAppended: boolean): void {
    const node = this.require(path);
    const { mtimeNs } = attributesAt(path);
    const kind = isAppended ? 'appended' : 'content';
    this.change(kind, [contentKey(node)], [inodeKey(node)], [node], (disk, share) => {
      const inode = disk.get(node) as Inode;
      const written = share === 'half' ? content.subarray(0, content.length >> 1) : content;
      const seen = share === 'zeros' ? Buffer.alloc(content.length) : written;
      inode.content = isAppended ? Buffer.concat([inode.content, seen]) : seen;
      inode.mtimeNs = mtimeNs;
    });
  }

  private truncate(path: string, size: number): void {
    const node = this.require(path);
    this.change('attributes', [contentKey(node)], [inodeKey(node)], [node], (disk) => {
      const inode = disk.get(node) as Inode;
      inode.content = inode.content.subarray(0, size);
    });
  }

  private changeAttributes(path: string): void {
    const node = this.require(path);
    const attributes = attributesAt(path);
    this.change('attributes', [attributesKey(node)], [inodeKey(node)], [node], (disk) => {
      Object.assign(disk.get(node) as Inode, attributes);
    });
  }

  private changeXattr(path: string, name: string): void {
    const node = this.require(path);
    const attributes = attributesAt(path);
    const value = listXattrs(bytes(path)).includes(name) ? getXattr(bytes(path), name) : undefined;
    this.change('attributes', [attributesKey(node)], [inodeKey(node)], [node], (disk) => {
      const inode = disk.get(node) as Inode;
      Object.assign(inode, attributes);
      if (value === undefined) inode.xattrs.delete(name);
      else inode.xattrs.set(name, value);
    });
  }

  /**
   * @param changed keys of entries and inodes that it changes, in the order of whose changes it stays.
   * @param used keys that must be there before.
   */
  private change(
    kind: Change['kind'],
    changed: readonly string[],
    used: readonly string[],
    syncedWith: readonly NodeId[],
    apply: Change['apply'],
  ): void {
    const needs = [...changed, ...used].flatMap((key) => this.latest.get(key) ?? []);
    for (const key of changed) this.latest.set(key, this.changes.length);
    this.changes.push({ call: this.calls.length - 1, kind, needs, syncedWith, apply });
    apply(this.now, 'whole');
  }

  private require(path: string): NodeId {
    const node = this.find(path);
    if (node === undefined) throw new Error(`the model of a power cut does not know ${path}`);
    return node;
  }

  private parentOf(path: string): { parent: NodeId; name: string } {
    const cut = path.lastIndexOf('/');
    return { parent: this.require(path.slice(0, cut)), name: path.slice(cut + 1) };
  }

  /** Follows symbolic links but in the last part. */
  private find(path: string, depth = 0): NodeId | undefined {
    if (depth > LINKS_FOLLOWED) return undefined;
    const root = this.watched.find((some) => path === some.path || path.startsWith(`${some.path}/`));
    if (root === undefined) return undefined;
    let node = this.roots.get(root.path);
    const parts = path.slice(root.path.length).split('/').filter(Boolean);
    for (const [index, part] of parts.entries()) {
      const inode = node === undefined ? undefined : this.now.get(node);
      if (inode === undefined) return undefined;
      if ((inode.mode & S_IFMT) === S_IFLNK) {
        return this.find([inode.content.toString('latin1'), ...parts.slice(index)].join('/'), depth + 1);
      }
      node = inode.names.get(part);
    }
    return node;
  }
}

function write(disk: Disk, node: NodeId, path: string, made: Map<NodeId, string>, logs: string[]): void {
  const inode = disk.get(node) as Inode;
  const type = inode.mode & S_IFMT;
  const twin = made.get(node);
  if (twin !== undefined && type !== S_IFDIR) {
    linkSync(bytes(twin), bytes(path));
    return;
  }
  made.set(node, path);
  if (type === S_IFDIR) {
    mkdirSync(bytes(path), { recursive: true });
    for (const [name, child] of inode.names) write(disk, child, `${path}/${name}`, made, logs);
  } else if (type === S_IFREG) {
    writeFileSync(bytes(path), inode.content);
    if (path.endsWith('/operations')) logs.push(path);
  } else if (type === S_IFLNK) {
    symlinkSync(inode.content, bytes(path));
  } else {
    makeNode(bytes(path), inode.mode, { major: Number(inode.device >> 8n), minor: Number(inode.device & 0xffn) });
  }
  lchownSync(bytes(path), inode.uid, inode.gid);
  if (type !== S_IFLNK) chmodSync(bytes(path), inode.mode & ~S_IFMT);
  for (const [name, value] of inode.xattrs) setXattr(bytes(path), name, value);
  setMtime(bytes(path), inode.mtimeNs);
}

function inodeAt(path: string): Inode {
  const stat = lstatSync(bytes(path), { bigint: true });
  const type = Number(stat.mode) & S_IFMT;
  const content = type === S_IFREG ? readFileSync(bytes(path)) : Buffer.alloc(0);
  return {
    ...attributesAt(path),
    xattrs: new Map(listXattrs(bytes(path)).map((name) => [name, getXattr(bytes(path), name)])),
    device: type === S_IFCHR || type === S_IFBLK ? stat.rdev : 0n,
    content: type === S_IFLNK ? readlinkSync(bytes(path), 'buffer') : content,
    names: new Map(),
  };
}

function attributesAt(path: string): Attributes {
  const { mode, uid, gid, mtimeNs } = lstatSync(bytes(path), { bigint: true });
  return { mode: Number(mode), uid: Number(uid), gid: Number(gid), mtimeNs };
}

function mtimeAbove(path: string): bigint {
  return attributesAt(path.slice(0, path.lastIndexOf('/'))).mtimeNs;
}

function namesOf(disk: Disk, node: NodeId, mtimeNs: bigint): Inode['names'] {
  const inode = disk.get(node) as Inode;
  inode.mtimeNs = mtimeNs;
  return inode.names;
}

function copyOf(disk: Disk): Disk {
  return new Map([...disk].map(([node, inode]) => [node, copyOfInode(inode)]));
}

function copyOfInode(inode: Inode): Inode {
  return { ...inode, xattrs: new Map(inode.xattrs), names: new Map(inode.names) };
}

function entry(parent: NodeId, name: string): string {
  return `${parent}/${name}`;
}

function inodeKey(node: NodeId): string {
  return `inode ${node}`;
}

function contentKey(node: NodeId): string {
  return `content ${node}`;
}

function attributesKey(node: NodeId): string {
  return `attributes ${node}`;
}

function isPath(argument: unknown): argument is string | Buffer {
  return typeof argument === 'string' || Buffer.isBuffer(argument);
}

/** A path below an open directory as that is called now; each character stands for a byte. */
function absolute(path: string | Buffer): string {
  const text = Buffer.from(path as string).toString('latin1');
  const [, descriptor, rest = ''] = OPEN_DIRECTORY.exec(text) ?? [];
  const whole = descriptor === undefined ? text : `${readlinkSync(`/proc/self/fd/${descriptor}`, 'latin1')}${rest}`;
  return whole.replaceAll('/./', '/').replace(/\/\.?$/, '');
}

function contentOf(data: unknown): Buffer {
  return Buffer.from(data as string);
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}
