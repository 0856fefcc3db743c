/** Looks values up by place in a list in the order of a walk, as a merge join does: nothing of the list is held in memory. */

import { type Place, Way } from '../model/place.js';

/** Of what is not in order some is not found, and nothing wrong is. To compare two places takes as long as what is new of them. */
export class MergeCursor<Value> implements Disposable {
  private readonly list: Iterator<readonly [Place, Value], void>;
  private next: IteratorResult<readonly [Place, Value], void>;
  private readonly listWay = new Way();
  private readonly askedWay = new Way();
  /** How many parts, from the root on, both ways are known to have in common. */
  private common = 0;

  /** @param list is ended early by disposing this. */
  constructor(list: Iterable<readonly [Place, Value]>) {
    this.list = list[Symbol.iterator]();
    this.next = this.take();
  }

  [Symbol.dispose](): void {
    this.list.return?.();
  }

  /** The value of a place; undefined where there is none. The places that are asked for must be in the order of the walk, too. */
  find(place: Place): Value | undefined {
    this.common = Math.min(this.common, this.askedWay.take(place));
    for (; !this.next.done; this.next = this.take()) {
      const order = this.compare();
      if (order === 0) return this.next.value[1];
      if (order > 0) return undefined;
    }
    return undefined;
  }

  private take(): IteratorResult<readonly [Place, Value], void> {
    const next = this.list.next();
    if (!next.done) this.common = Math.min(this.common, this.listWay.take(next.value[0]));
    return next;
  }

  /** The next of the list against what was asked for, in the order of a walk: parents first, names in byte order. */
  private compare(): number {
    const next = this.listWay;
    const asked = this.askedWay;
    const depth = Math.min(next.depth, asked.depth);
    while (this.common <= depth && next.at(this.common).name === asked.at(this.common).name) this.common += 1;
    if (this.common > depth) return next.depth - asked.depth;
    return next.at(this.common).name < asked.at(this.common).name ? -1 : 1;
  }
}
