/** What the files of a copy were made of: there may be a million, so that an object for each would take too much room. */

import { type BytePath, compactPath } from '../model/byte-path.js';

/** What a file of the source was when it was copied. */
export interface Source {
  readonly inode: bigint;
  readonly ctimeNs: bigint;
}

/** Sources by path, as a Map has them, in half the memory. */
export class SourceTable implements Iterable<[BytePath, Source]> {
  /** Where in the two lists each has its numbers; a ctime before the epoch is none that ever comes back. A place is used once. */
  private readonly places = new Map<BytePath, number>();
  private inodes = new BigUint64Array(1024);
  private ctimes = new BigUint64Array(1024);
  private used = 0;

  constructor(sources: Iterable<readonly [BytePath, Source]> = []) {
    for (const [path, source] of sources) this.set(path, source);
  }

  get size(): number {
    return this.places.size;
  }

  get(path: BytePath): Source | undefined {
    const place = this.places.get(path);
    return place === undefined ? undefined : this.at(place);
  }

  set(path: BytePath, { inode, ctimeNs }: Source): void {
    const place = this.places.get(path) ?? this.add(path);
    this.inodes[place] = inode;
    this.ctimes[place] = ctimeNs;
  }

  delete(path: BytePath): void {
    this.places.delete(path);
  }

  *[Symbol.iterator](): Generator<[BytePath, Source]> {
    for (const [path, place] of this.places) yield [path, this.at(place)];
  }

  private at(place: number): Source {
    return { inode: this.inodes[place] as bigint, ctimeNs: this.ctimes[place] as bigint };
  }

  private add(path: BytePath): number {
    if (this.used === this.inodes.length) {
      const [inodes, ctimes] = [this.inodes, this.ctimes];
      this.inodes = new BigUint64Array(inodes.length * 2);
      this.ctimes = new BigUint64Array(ctimes.length * 2);
      this.inodes.set(inodes);
      this.ctimes.set(ctimes);
    }
    this.places.set(compactPath(path), this.used);
    this.used += 1;
    return this.used - 1;
  }
}
