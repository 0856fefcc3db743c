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

import { childPath, type Directory, type Files, isErrno, type Stat } from '../host/files.js';
import { type BytePath, joinPath, ROOT } from '../model/byte-path.js';
import { copyAttributes, createDirectory } from './attributes.js';
import { OPAQUE, WHITEOUT } from './overlayfs.js';

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
/** Paths that are longer are not linked to: the system takes none of more than 4,096 bytes. */
const LINK_PATH_MAX = 3000;

export class LiveCopy {
  /** What was copied, and what it was then. A directory's ctime tells whether names in it changed. */
  private readonly copied = new Map<BytePath, Source>();
  private trustedBefore = 0n;
  /** Where the first copy of an inode with several links lies, in this pass. */
  private firstLinks = new Map<bigint, Buffer>();

  /** @param to a path that is not there yet. */
  constructor(
    private readonly files: Files,
    private readonly from: string,
    private readonly to: string,
    private readonly earlier: EarlierCopy | undefined,
  ) {}

  /** Copies what there is. What changes meanwhile may be copied in part, or not at all; nothing leads out of the delta. */
  copyRunning(now: Date): void {
    this.trustedBefore = BigInt(now.getTime()) * 1_000_000n - CLOCK_SLACK_NS;
    this.files.syncFileSystem(this.from);
    this.copyTree(Buffer.from(this.from), Buffer.from(this.to), ROOT, true);
  }

  /** Makes the copy that of this instant; the source must stand still. */
  copyFrozen(): void {
    this.firstLinks = new Map();
    this.update(Buffer.from(this.from), Buffer.from(this.to), ROOT);
  }

  /** The files of the copy that a later copy need not read again while they are the same. */
  trustedSources(): Map<BytePath, Source> {
    return new Map([...this.copied].filter(([, { ctimeNs }]) => ctimeNs < this.trustedBefore));
  }

  /** @param moving tolerates that what was there a moment ago is gone, or is something else. */
  private copyTree(from: Buffer, to: Buffer, path: BytePath, moving: boolean): void {
    using source = this.files.openDirectory(from);
    if (source === undefined && moving) return;
    if (source === undefined) throw new Error(`ENOENT: no directory ${from}`);
    using target = createDirectory(this.files, to);
    const stat = this.files.stat(source.path) as Stat;
    for (const name of this.files.list(source.path)) this.copyEntry(source, target, name, joinPath(path, name), moving);
    this.finishDirectory(source, stat, target, path);
  }

  private copyEntry(source: Directory, target: Directory, name: BytePath, path: BytePath, moving: boolean): void {
    const from = childPath(source.path, name);
    const to = childPath(target.path, name);
    const stat = this.files.stat(from);
    if (stat === undefined) return;
    if (stat.type === 'directory') {
      this.copyTree(from, to, path, moving);
      return;
    }
    try {
      this.copyFile(from, stat, to, path);
      this.remember(path, stat);
    } catch (error) {
      if (!moving || !isErrno(error, 'ENOENT', 'ESTALE', 'ENXIO', 'ELOOP', 'EINVAL', 'EEXIST')) throw error;
      if (this.files.stat(to) !== undefined) this.files.unlink(to);
    }
  }

  private copyFile(from: Buffer, stat: Stat, to: Buffer, path: BytePath): void {
    if (this.isAsInEarlier(path, stat)) {
      this.files.link(childPath(Buffer.from(this.earlier?.delta as string), path), to);
      return;
    }
    const first = stat.links > 1 ? this.firstLinks.get(stat.inode) : undefined;
    if (first !== undefined) {
      this.files.link(first, to);
      return;
    }
    if (stat.type === 'file') this.files.copyContent(from, to);
    else if (stat.type === 'symlink') this.files.symlink(this.files.readLink(from), to);
    else this.files.makeNode(to, stat);
    copyAttributes(this.files, from, stat, to, (xattr) => xattr === WHITEOUT);
    if (stat.links > 1 && path.length < LINK_PATH_MAX)
      this.firstLinks.set(stat.inode, childPath(Buffer.from(this.to), path));
  }

  private update(from: Buffer, to: Buffer, path: BytePath): void {
    using source = this.files.openDirectory(from);
    using target = this.files.openDirectory(to);
    if (source === undefined || target === undefined) throw new Error(`ENOENT: no directory ${from}`);
    const stat = this.files.stat(source.path) as Stat;
    const changed = !this.isCopied(path, stat);
    const names = this.files.list(source.path);
    if (changed) this.removeOthers(target, new Set(names), path);
    for (const name of names) this.updateEntry(source, target, name, joinPath(path, name));
    if (changed || this.mtimeOf(target) !== stat.mtimeNs) this.finishDirectory(source, stat, target, path);
  }

  private updateEntry(source: Directory, target: Directory, name: BytePath, path: BytePath): void {
    const from = childPath(source.path, name);
    const to = childPath(target.path, name);
    const stat = this.files.stat(from) as Stat;
    const isDirectory = stat.type === 'directory';
    if (!isDirectory && this.isCopied(path, stat)) return;
    const present = this.files.stat(to);
    if (isDirectory && present?.type === 'directory') {
      this.update(from, to, path);
      return;
    }
    if (present !== undefined && present.type === 'char' && isWhiteoutNode(present) && isWhiteoutNode(stat)) return;
    if (present !== undefined) removeEntry(this.files, to);
    this.copyEntry(source, target, name, path, false);
  }

  private removeOthers(target: Directory, names: ReadonlySet<BytePath>, path: BytePath): void {
    for (const name of this.files.list(target.path)) {
      if (names.has(name)) continue;
      removeEntry(this.files, childPath(target.path, name));
      this.copied.delete(joinPath(path, name));
    }
  }

  private finishDirectory(source: Directory, stat: Stat, target: Directory, path: BytePath): void {
    copyAttributes(this.files, source.path, stat, target.path, (xattr) => xattr === OPAQUE);
    this.remember(path, stat);
  }

  private remember(path: BytePath, { inode, ctimeNs }: Stat): void {
    this.copied.set(path, { inode, ctimeNs });
  }

  /** True where the copy has what is there now. */
  private isCopied(path: BytePath, stat: Stat): boolean {
    const copied = this.copied.get(path);
    return isSame(copied, stat) && stat.ctimeNs < this.trustedBefore;
  }

  private isAsInEarlier(path: BytePath, stat: Stat): boolean {
    return stat.type === 'file' && path.length < LINK_PATH_MAX && isSame(this.earlier?.sources.get(path), stat);
  }

  private mtimeOf(directory: Directory): bigint {
    return (this.files.stat(directory.path) as Stat).mtimeNs;
  }
}

/** Removes what a path names, with all that is in it. */
function removeEntry(files: Files, path: string | Buffer): void {
  using directory = files.openDirectory(path);
  if (directory === undefined) {
    files.unlink(path);
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
