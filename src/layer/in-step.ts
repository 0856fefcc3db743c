/** Looks things up by path in what is told in the order of a walk, walking along with it: so nothing of it need be held. */

import { type BytePath, compareInWalk } from '../model/byte-path.js';

/** Of what is not in order some is not found, and nothing wrong is. */
export class InStep<Value> implements Disposable {
  private readonly told: Iterator<readonly [BytePath, Value], void>;
  private next: IteratorResult<readonly [BytePath, Value], void>;

  /** @param told is ended early by disposing this. */
  constructor(told: Iterable<readonly [BytePath, Value]>) {
    this.told = told[Symbol.iterator]();
    this.next = this.told.next();
  }

  [Symbol.dispose](): void {
    this.told.return?.();
  }

  /** What is told of a path; undefined where nothing is. The paths that are asked for must be in the order of the walk, too. */
  find(path: BytePath): Value | undefined {
    for (; !this.next.done; this.next = this.told.next()) {
      const [at, value] = this.next.value;
      if (at === path) return value;
      if (compareInWalk(at, path) > 0) return undefined;
    }
    return undefined;
  }
}
