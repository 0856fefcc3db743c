/** Looks things up by place in what is told in the order of a walk, walking along with it: so nothing of it need be held. */

import { type Place, Way } from '../model/place.js';

/** Of what is not in order some is not found, and nothing wrong is. To compare two places takes as long as what is new of them. */
export class MergeCursor<Value> implements Disposable {
  private readonly told: Iterator<readonly [Place, Value], void>;
  private next: IteratorResult<readonly [Place, Value], void>;
  private readonly toldWay = new Way();
  private readonly askedWay = new Way();
  /** How many parts, from the root on, both ways are known to have in common. */
  private common = 0;

  /** @param told is ended early by disposing this. */
  constructor(told: Iterable<readonly [Place, Value]>) {
    this.told = told[Symbol.iterator]();
    this.next = this.take();
  }

  [Symbol.dispose](): void {
    this.told.return?.();
  }

  /** What is told of a place; undefined where nothing is. The places that are asked for must be in the order of the walk, too. */
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
    const next = this.told.next();
    if (!next.done) this.common = Math.min(this.common, this.toldWay.take(next.value[0]));
    return next;
  }

  /** What is told next against what was asked for, in the order of a walk: parents first, names in byte order. */
  private compare(): number {
    const told = this.toldWay;
    const asked = this.askedWay;
    const depth = Math.min(told.depth, asked.depth);
    while (this.common <= depth && told.at(this.common).name === asked.at(this.common).name) this.common += 1;
    if (this.common > depth) return told.depth - asked.depth;
    return told.at(this.common).name < asked.at(this.common).name ? -1 : 1;
  }
}
