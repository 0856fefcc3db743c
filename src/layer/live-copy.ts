/**
 * Copies the delta of a running container such that the container stands still only for what changed under the copy.
 *
 * Calling sequence: `copyRunning` while it runs; as often as it is worth it, still while it runs, `syncAgain` and `copyAgain`; freeze it;
 * `copyFrozen`; thaw it; `end`; `trustedSources` for the next copy. What is copied again, and why, is said in copy-passes.ts.
 */

import type { Clocks } from '../host/clocks.js';
import { childPath, type Directory, type Files, type Stat } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import type { BytePath } from '../model/byte-path.js';
import { type Job, type Recursion, runRecursion } from '../model/job.js';
import { type Place, placeIn, ROOT_PLACE } from '../model/place.js';
import { copyDirectoryAttributes, createDirectory, refuseLost } from './attributes.js';
import { type CopiedInode, type CopiedInodes, isSame } from './copied-inodes.js';
import { CopyPasses, type Pass, type Recopied } from './copy-passes.js';
import { HardLinkMap } from './hard-link-map.js';
import { canUpdate, copyInode, LINKS_MAX, updateInode } from './inode-copy.js';
import { MergeCursor } from './merge-cursor.js';
import { isKeptByCopies } from './overlayfs.js';
import { FROZEN_RULES, type PassRules, runningRules } from './pass-rules.js';
import { removeEntry } from './removal.js';

/** An earlier copy of the same delta: files that are in `sources` and unchanged are hard-linked to it. */
export interface EarlierCopy {
  readonly delta: string;
  readonly sources: CopiedInodes;
}

/** A directory of the earlier copy, and what its files were made of. */
interface EarlierDirectory {
  readonly directory: Directory;
  readonly sources: MergeCursor<CopiedInode>;
}

/** What is copied, and where to. */
interface Pair {
  readonly from: HostPath;
  readonly to: HostPath;
  readonly place: Place;
}

/** Room for names that the copy still has and the source has no more. */
const SPARE_LINKS = 1000;

export class LiveCopy {
  private readonly passes: CopyPasses;
  /** Of each inode with several links: what it was when its copy was registered. */
  private readonly links: HardLinkMap<CopiedInode & { readonly pass: Pass }>;
  private rules: PassRules;
  private tick: () => void = () => undefined;

  /**
   * @param to a path that is not there yet.
   * @param links a path that is not there yet either, and not when the copy is done.
   */
  constructor(
    private readonly files: Files,
    private readonly from: string,
    private readonly to: string,
    links: string,
    private readonly earlier: EarlierCopy | undefined,
  ) {
    this.passes = new CopyPasses(files, from);
    this.links = new HardLinkMap(files, links);
    this.rules = runningRules(files);
  }

  private get root(): Pair {
    return { from: this.from, to: this.to, place: ROOT_PLACE };
  }

  /** Copies what there is. What changes meanwhile may be copied in part, or not at all; nothing leads out of the delta. */
  *copyRunning(now: Clocks): Job<void> {
    this.passes.beginRunning(now);
    this.files.syncFileSystem(this.from);
    this.links.create();
    using sources = new MergeCursor(this.earlier?.sources ?? []);
    using directory = this.earlier === undefined ? undefined : this.files.openDirectory(this.earlier.delta);
    const earlier = directory === undefined ? undefined : { directory, sources };
    yield* runRecursion(this.copyTree(this.root, earlier));
    this.passes.endRunning();
  }

  /** Before `copyAgain`: it takes as long as the disk needs. */
  async syncAgain(now: Clocks): Promise<void> {
    this.passes.beginRunning(now);
    await this.files.syncFileSystemAside(this.from);
  }

  /** Copies what changed since it was copied, while the container goes on. */
  *copyAgain(): Job<void> {
    using before = this.passes.takeCopied();
    yield* runRecursion(this.update(this.root, before));
    this.passes.endRunning();
  }

  /**
   * Makes the copy that of this instant; the source must stand still.
   * @param tick is called again and again, and ends it where it throws.
   */
  *copyFrozen(now: Clocks, tick: () => void = () => undefined): Job<void> {
    using before = this.passes.takeCopied();
    this.tick = tick;
    this.passes.beginFrozen(now);
    this.rules = FROZEN_RULES;
    for (const _ of runRecursion(this.update(this.root, before))) {
      tick();
      yield;
    }
  }

  /** Of the last pass, or of this one so far: how much it copied that was copied before, and of what. */
  get recopied(): { readonly bytes: number; readonly largest: readonly Recopied[] } {
    return this.passes.pass;
  }

  /** Takes away what only the copying needed. */
  end(): Job<void> {
    return this.links.remove();
  }

  /** The files of the copy, which is done, that a later copy need not read again while they are the same. */
  trustedSources(): Iterable<readonly [Place, CopiedInode]> {
    return this.passes.trusted();
  }

  /** @param earlier the same directory of the earlier copy, where that has it. */
  private *copyTree({ from, to, place }: Pair, earlier: EarlierDirectory | undefined): Recursion<undefined> {
    using source = this.files.openDirectory(from);
    if (source === undefined) return this.rules.vanished(from);
    using target = createDirectory(this.files, to);
    const stat = this.files.stat(source.path) as Stat;
    this.passes.remember(place, stat);
    for (const name of this.files.list(source.path).sort()) {
      const child = childPair(source, target, place, name);
      yield* this.rules.attempt(child.to, this.copyEntry(child, earlier));
      yield;
    }
    this.finishDirectory(source, stat, target, place);
  }

  /** @param earlier the directory of the earlier copy that has the path, where that has it. */
  private *copyEntry(pair: Pair, earlier: EarlierDirectory | undefined): Recursion<undefined> {
    const { from, to, place } = pair;
    const stat = this.files.stat(from);
    if (stat === undefined || this.rules.isPresent(to)) return;
    const before = earlier === undefined ? undefined : childPath(earlier.directory.path, place.name);
    if (stat.type === 'directory') {
      using directory = before === undefined ? undefined : this.files.openDirectory(before);
      yield this.copyTree(pair, earlier && directory && { ...earlier, directory });
      return;
    }
    const isUnchanged = stat.type === 'file' && isSame(earlier?.sources.find(place), stat);
    this.copyFile(pair, stat, isUnchanged ? before : undefined);
    this.passes.remember(place, stat);
  }

  /** @param same the file in the earlier copy, where that is the same. */
  private copyFile({ from, to, place }: Pair, stat: Stat, same: HostPath | undefined): void {
    if (stat.links > 1) {
      this.links.checkNotExhausted(stat.inode);
      if (this.hasCopy(stat)) {
        this.rules.link(this.links, stat.inode, to);
        return;
      }
    }
    if (same !== undefined && this.hasRoom(same, stat)) this.files.link(same, to);
    else refuseLost(place, copyInode(this.files, from, stat, to, this.tick));
    const { inode, ctimeNs } = stat;
    if (stat.links > 1) this.links.register(inode, to, { inode, ctimeNs, pass: this.passes.pass });
  }

  /** True where a file of the earlier copy can have the names of the source's file too; one name more is tried. */
  private hasRoom(same: HostPath, { links }: Stat): boolean {
    return links === 1 || (this.files.stat(same)?.links ?? 0) + links < LINKS_MAX - SPARE_LINKS;
  }

  /** True where there is a copy of the inode that is good in this pass. */
  private hasCopy(stat: Stat): boolean {
    const copied = this.links.note(stat.inode);
    return copied !== undefined && this.passes.isGood(copied, stat);
  }

  /** Makes a directory of the copy that of the source again. @param before what earlier passes copied. */
  private *update({ from, to, place }: Pair, before: MergeCursor<CopiedInode>): Recursion<undefined> {
    using source = this.files.openDirectory(from);
    using target = this.files.openDirectory(to);
    if (source === undefined) return this.rules.vanished(from);
    if (target === undefined) throw new Error(`a directory of the copy is gone: ${to}`);
    const stat = this.files.stat(source.path) as Stat;
    const changed = !this.passes.isCurrent(before.find(place), stat);
    // A file to be linked may be of another project, from before the source had one: link(2) refuses that while the target hands its own on.
    const inherits = this.files.stopInheriting(target.path);
    this.passes.remember(place, stat);
    const names = this.files.list(source.path).sort();
    if (changed) yield this.removeOthers(target, new Set(names));
    for (const name of names) {
      const child = childPair(source, target, place, name);
      yield* this.rules.attempt(child.to, this.updateEntry(child, before));
      yield;
    }
    if (changed || inherits || this.mtimeOf(target) !== stat.mtimeNs) this.finishDirectory(source, stat, target, place);
  }

  private *updateEntry(pair: Pair, before: MergeCursor<CopiedInode>): Recursion<undefined> {
    const { from, to, place } = pair;
    const stat = this.files.stat(from);
    if (stat === undefined) return this.rules.vanished(from);
    if (stat.type !== 'directory' && this.passes.isCurrent(before.find(place), stat)) {
      this.passes.remember(place, stat);
      return;
    }
    const present = this.files.stat(to);
    if (stat.type === 'directory' && present?.type === 'directory') {
      yield this.update(pair, before);
      return;
    }
    if (isWhiteoutNode(stat) && present !== undefined && isWhiteoutNode(present)) return;
    if (stat.type === 'file') this.passes.count(place, stat);
    if (present !== undefined && canUpdate(stat, present)) {
      refuseLost(place, updateInode(this.files, from, stat, to, this.tick));
      this.passes.remember(place, stat);
      return;
    }
    if (present !== undefined) yield removeEntry(this.files, to);
    yield* this.rules.attempt(to, this.copyEntry(pair, undefined));
  }

  private *removeOthers(target: Directory, names: ReadonlySet<BytePath>): Job<void> {
    for (const name of this.files.list(target.path)) {
      if (!names.has(name)) yield* removeEntry(this.files, childPath(target.path, name));
      yield;
    }
  }

  private finishDirectory(source: Directory, stat: Stat, target: Directory, place: Place): void {
    this.files.copyProject(source.path, target.path);
    refuseLost(place, copyDirectoryAttributes(this.files, source.path, stat, target.path, isKeptByCopies));
  }

  private mtimeOf(directory: Directory): bigint {
    return (this.files.stat(directory.path) as Stat).mtimeNs;
  }
}

function childPair(source: Directory, target: Directory, parent: Place, name: BytePath): Pair {
  const from = childPath(source.path, name);
  const to = childPath(target.path, name);
  return { from, to, place: placeIn(parent, name) };
}

function isWhiteoutNode(stat: Stat): boolean {
  return stat.type === 'char' && stat.rawDevice === 0n;
}
