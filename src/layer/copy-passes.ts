/**
 * The passes of a live copy: what each of them copied, and what of that is good still in the next.
 *
 * What an unchanged file is. Inside a container nobody can set a ctime, so a file with the inode and ctime of before has the
 * bytes of before, but for one thing: a page that is mapped and dirty already is written to without another tick of the ctime.
 * A sync ends that, for it makes pages clean and the next write a fault that ticks. So a copy begins with a sync, and a file
 * whose ctime is not older than that sync is copied again, whatever its ctime says: in this copy and in the next. Where
 * somebody set the clock meanwhile, "older" means nothing, and all is copied again. So does each pass while the container runs: what
 * one has copied is good for the next if it was older than the sync of the one that copied it.
 */

import type { Clocks } from '../host/clocks.js';
import type { Files, Stat } from '../host/files.js';
import type { Place } from '../model/place.js';
import { type CopiedInode, CopiedInodeIndex, isSame } from './copied-inodes.js';
import { MergeCursor } from './merge-cursor.js';

/** One walk over the delta. */
export interface Pass {
  /** What it copies of a file whose ctime is older stays good as long as the ctime is the same. */
  readonly goodBefore: bigint;
  /** What files it copied that an earlier pass had copied too hold, in bytes. */
  bytes: number;
  /** The largest of them, the largest first. */
  largest: readonly Recopied[];
}

/** A file that changed after it was copied. */
export interface Recopied {
  readonly place: Place;
  readonly bytes: number;
}

/** The kernel stamps times by a clock that may be a tick of ten milliseconds behind. */
const CLOCK_SLACK_MS = 20;
/** How many of the files that changed are reported. */
const LARGEST = 3;

export class CopyPasses {
  /**
   * What was copied, and what it was then, in the order of the walk. Of a directory the ctime tells whether names in it, or it
   * itself, changed. What was taken away again, because something under the copy was not what it was, is in it too.
   */
  private copied = new CopiedInodeIndex();
  private synced: Clocks | undefined;
  /** What the pass before this one has copied is good if it is older. */
  private trustedBefore = 0n;
  /** That of now, or the last one. */
  pass: Pass = begin(0n);

  /** @param from the delta that is copied. */
  constructor(
    private readonly files: Files,
    private readonly from: string,
  ) {}

  /** Begins one while the container runs, with a sync that is to follow. */
  beginRunning(now: Clocks): void {
    this.distrustIfClockSet(now);
    this.synced = now;
    const ticks = this.files.ticksForMappedWrites(this.from);
    const young = ticks ? BigInt(Math.trunc(now.wallMs - CLOCK_SLACK_MS)) * 1_000_000n : 0n;
    this.pass = begin(young);
  }

  endRunning(): void {
    this.trustedBefore = this.pass.goodBefore;
  }

  beginFrozen(now: Clocks): void {
    this.distrustIfClockSet(now);
    this.pass = begin(this.trustedBefore);
  }

  /** What the passes until now have copied; what is remembered from here on is of this one. */
  takeCopied(): MergeCursor<CopiedInode> {
    const before = new MergeCursor(this.copied);
    this.copied = new CopiedInodeIndex();
    return before;
  }

  remember(place: Place, { inode, ctimeNs }: Stat): void {
    this.copied.add(place, { inode, ctimeNs });
  }

  /** Counts a file that an earlier pass had copied too. */
  count(place: Place, { allocated: bytes }: Stat): void {
    this.pass.bytes += bytes;
    const all = [...this.pass.largest, { place, bytes }];
    this.pass.largest = all.sort((a, b) => b.bytes - a.bytes).slice(0, LARGEST);
  }

  /** True where a copy that was made of `source` has what is there now. */
  isCurrent(source: CopiedInode | undefined, stat: Stat): boolean {
    return isSame(source, stat) && stat.ctimeNs < this.trustedBefore;
  }

  /** The same of an inode with several names: a pass may have met none of them, and so not have copied it again. What counts is the pass that did. */
  isGood(copied: CopiedInode & { readonly pass: Pass }, stat: Stat): boolean {
    if (!isSame(copied, stat)) return false;
    return copied.pass === this.pass || (stat.ctimeNs < copied.pass.goodBefore && stat.ctimeNs < this.trustedBefore);
  }

  /** The files that the last one left as they are, or copied, and that need not be read again while they are the same. */
  *trusted(): Generator<readonly [Place, CopiedInode]> {
    for (const copied of this.copied) if (copied[1].ctimeNs < this.trustedBefore) yield copied;
  }

  /** Where the clock that ctimes are stamped by was set since the last sync a young file may look old. */
  private distrustIfClockSet(now: Clocks): void {
    if (this.synced === undefined) return;
    const { wallMs, monotonicMs } = this.synced;
    const isSet = Math.abs(now.wallMs - wallMs - (now.monotonicMs - monotonicMs)) > CLOCK_SLACK_MS;
    if (isSet) this.trustedBefore = 0n;
  }
}

function begin(goodBefore: bigint): Pass {
  return { goodBefore, bytes: 0, largest: [] };
}
