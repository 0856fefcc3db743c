/**
 * Copies the delta of a running container such that the container stands still only for what changed under the copy.
 *
 * Calling sequence: `copyRunning` while it runs; freeze it; `copyFrozen`; thaw it; `trustedSources` for the next copy.
 *
 * What an unchanged file is. Inside a container nobody can set a ctime, so a file with the inode and ctime of before has the
 * bytes of before, but for one thing: a page that is mapped and dirty already is written to without another tick of the ctime.
 * A sync ends that, for it makes pages clean and the next write a fault that ticks. So a copy begins with a sync, and a file
 * whose ctime is not older than that sync is copied again, whatever its ctime says: in this copy and in the next.
 */

import { childPath, type Directory, type Files, type Stat } from '../host/files.js';
import { type BytePath, joinPath, ROOT } from '../model/byte-path.js';
import { copyAttributes, createDirectory } from './attributes.js';
import { OPAQUE, WHITEOUT, whyNotKept } from './overlayfs.js';

/** What a file of the source was when it was copied. */
export interface Source {
  readonly inode: bigint;
  readonly ctimeNs: bigint;
}

/** An earlier copy of the same delta: files that are in `sources` and unchanged are hard-linked to it. */
export interface EarlierCopy {
  readonly delta: string;
  readonly sources: ReadonlyMap<BytePath, Source>;
}

/** The kernel stamps times by a clock that may be a tick of ten milliseconds behind. */
const CLOCK_SLACK_NS = 20_000_000n;
/** What goes wrong with the machine, and not because something under the copy is not what it was a moment ago. */
const FATAL = ['EDQUOT', 'EIO', 'EMFILE', 'EMLINK', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EROFS'];

export class LiveCopy {
  /** What was copied, and what it was then. Of a directory the ctime tells whether names in it, or it itself, changed. */
  private copied = new Map<BytePath, Source>();
  /** Of each inode with several links: what it was when its copy was put into the directory of links. */
  private readonly linked = new Map<bigint, Source & { readonly pass: 'running' | 'frozen' }>();
  private trustedBefore = 0n;
  private pass: 'running' | 'frozen' = 'running';

  /**
   * @param to a path that is not there yet.
   * @param links a path that is not there yet either, and not when the copy is done: one link for each inode with several.
   */
  constructor(
    private readonly files: Files,
    private readonly from: string,
    private readonly to: string,
    private readonly links: string,
    private readonly earlier: EarlierCopy | undefined,
  ) {}

  /** Copies what there is. What changes meanwhile may be copied in part, or not at all; nothing leads out of the delta. */
  copyRunning(now: Date): void {
    if (this.files.ticksForMappedWrites(this.from)) {
      this.trustedBefore = BigInt(now.getTime()) * 1_000_000n - CLOCK_SLACK_NS;
    }
    this.files.syncFileSystem(this.from);
    this.files.mkdir(this.links, 0o700);
    using earlier = this.earlier === undefined ? undefined : this.files.openDirectory(this.earlier.delta);
    this.copyTree(Buffer.from(this.from), Buffer.from(this.to), earlier, ROOT);
  }

  /** Makes the copy that of this instant; the source must stand still. */
  copyFrozen(): void {
    const before = this.copied;
    this.copied = new Map();
    this.pass = 'frozen';
    this.update(before, Buffer.from(this.from), Buffer.from(this.to), ROOT);
    removeEntry(this.files, this.links);
  }

  /** The files of the copy that a later copy need not read again while they are the same. */
  trustedSources(): Map<BytePath, Source> {
    return new Map([...this.copied].filter(([, { ctimeNs }]) => ctimeNs < this.trustedBefore));
  }

  /** @param earlier the same directory of the earlier copy, where that has it. */
  private copyTree(from: Buffer, to: Buffer, earlier: Directory | undefined, path: BytePath): void {
    using source = this.files.openDirectory(from);
    if (source === undefined && this.pass === 'running') return;
    if (source === undefined) throw new Error(`ENOENT: no directory ${from}`);
    using target = createDirectory(this.files, to);
    const stat = this.files.stat(source.path) as Stat;
    for (const name of this.files.list(source.path))
      this.copyEntry(source, target, earlier, name, joinPath(path, name));
    this.finishDirectory(source, stat, target, path);
  }

  /** While the container runs, what was there a moment ago may be gone or be something else: the frozen pass sees to it. */
  private copyEntry(
    source: Directory,
    target: Directory,
    earlier: Directory | undefined,
    name: BytePath,
    path: BytePath,
  ): void {
    const to = childPath(target.path, name);
    try {
      this.copyEntryOnce(childPath(source.path, name), to, earlier, name, path);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      if (this.pass === 'frozen' || code === undefined || FATAL.includes(code)) throw error;
      if (this.files.stat(to) !== undefined) removeEntry(this.files, to);
      this.copied.delete(path);
    }
  }

  private copyEntryOnce(
    from: Buffer,
    to: Buffer,
    earlier: Directory | undefined,
    name: BytePath,
    path: BytePath,
  ): void {
    const stat = this.files.stat(from);
    if (stat === undefined || (this.pass === 'running' && this.files.stat(to) !== undefined)) return;
    const before = earlier === undefined ? undefined : childPath(earlier.path, name);
    if (stat.type === 'directory') {
      using below = before === undefined ? undefined : this.files.openDirectory(before);
      this.copyTree(from, to, below, path);
      return;
    }
    this.copyFile(from, stat, to, this.isAsInEarlier(path, stat) ? before : undefined);
    this.remember(path, stat);
  }

  /** @param same the file in the earlier copy, where that is the same. */
  private copyFile(from: Buffer, stat: Stat, to: Buffer, same: Buffer | undefined): void {
    const link = `${this.links}/${stat.inode}`;
    if (stat.links > 1 && this.isLinked(stat)) {
      this.files.link(link, to);
      return;
    }
    if (same !== undefined) this.files.link(same, to);
    else this.createCopy(from, stat, to);
    if (stat.links > 1) this.keepLink(stat, to, link);
  }

  private createCopy(from: Buffer, stat: Stat, to: Buffer): void {
    if (stat.type === 'file') this.files.copyContent(from, to);
    else if (stat.type === 'symlink') this.files.symlink(this.files.readLink(from), to);
    else this.files.makeNode(to, stat);
    copyAttributes(this.files, from, stat, to, isMark);
  }

  private keepLink(stat: Stat, copy: Buffer, link: string): void {
    if (this.linked.has(stat.inode)) this.files.unlink(link);
    this.linked.delete(stat.inode);
    this.files.link(copy, link);
    this.linked.set(stat.inode, { inode: stat.inode, ctimeNs: stat.ctimeNs, pass: this.pass });
  }

  /** True where a link to a copy of the inode is at hand that is good in this pass. */
  private isLinked(stat: Stat): boolean {
    const linked = this.linked.get(stat.inode);
    return linked?.pass === this.pass ? isSame(linked, stat) : this.isCurrent(linked, stat);
  }

  private update(before: ReadonlyMap<BytePath, Source>, from: Buffer, to: Buffer, path: BytePath): void {
    using source = this.files.openDirectory(from);
    using target = this.files.openDirectory(to);
    if (source === undefined || target === undefined) throw new Error(`ENOENT: no directory ${from}`);
    const stat = this.files.stat(source.path) as Stat;
    const changed = !this.isCurrent(before.get(path), stat);
    const names = this.files.list(source.path);
    if (changed) this.removeOthers(target, new Set(names));
    for (const name of names) this.updateEntry(before, source, target, name, joinPath(path, name));
    if (changed || this.mtimeOf(target) !== stat.mtimeNs) this.finishDirectory(source, stat, target, path);
    else this.remember(path, stat);
  }

  private updateEntry(
    before: ReadonlyMap<BytePath, Source>,
    source: Directory,
    target: Directory,
    name: BytePath,
    path: BytePath,
  ): void {
    const from = childPath(source.path, name);
    const to = childPath(target.path, name);
    const stat = this.files.stat(from) as Stat;
    if (stat.type !== 'directory' && this.isCurrent(before.get(path), stat)) {
      this.remember(path, stat);
      return;
    }
    const present = this.files.stat(to);
    if (stat.type === 'directory' && present?.type === 'directory') {
      this.update(before, from, to, path);
      return;
    }
    if (isWhiteoutNode(stat) && present !== undefined && isWhiteoutNode(present)) return;
    if (present !== undefined) removeEntry(this.files, to);
    this.copyEntry(source, target, undefined, name, path);
  }

  private removeOthers(target: Directory, names: ReadonlySet<BytePath>): void {
    for (const name of this.files.list(target.path)) {
      if (!names.has(name)) removeEntry(this.files, childPath(target.path, name));
    }
  }

  private finishDirectory(source: Directory, stat: Stat, target: Directory, path: BytePath): void {
    copyAttributes(this.files, source.path, stat, target.path, isMark);
    this.remember(path, stat);
  }

  private remember(path: BytePath, { inode, ctimeNs }: Stat): void {
    this.copied.set(path, { inode, ctimeNs });
  }

  /** True where a copy that was made of `source` has what is there now. */
  private isCurrent(source: Source | undefined, stat: Stat): boolean {
    return isSame(source, stat) && stat.ctimeNs < this.trustedBefore;
  }

  private isAsInEarlier(path: BytePath, stat: Stat): boolean {
    return stat.type === 'file' && isSame(this.earlier?.sources.get(path), stat);
  }

  private mtimeOf(directory: Directory): bigint {
    return (this.files.stat(directory.path) as Stat).mtimeNs;
  }
}

/** What a copy keeps of overlayfs's own: what means something to a lower layer, and what is to be found and refused. */
function isMark(xattr: string): boolean {
  return xattr === OPAQUE || xattr === WHITEOUT || whyNotKept(xattr) !== undefined;
}

/** Removes what a path names, with all that is in it. */
function removeEntry(files: Files, path: string | Buffer): void {
  using directory = files.openDirectory(path);
  if (directory === undefined) {
    if (files.stat(path) !== undefined) files.unlink(path);
    return;
  }
  for (const name of files.list(directory.path)) removeEntry(files, childPath(directory.path, name));
  files.rmdir(path);
}

function isSame(source: Source | undefined, stat: Stat): boolean {
  return source !== undefined && source.inode === stat.inode && source.ctimeNs === stat.ctimeNs;
}

function isWhiteoutNode(stat: Stat): boolean {
  return stat.type === 'char' && stat.rawDevice === 0n;
}
