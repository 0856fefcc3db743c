/** Looks up by place what is known of paths, in the order of a walk: no path is made of a place for it. */

import { type BytePath, ROOT } from './byte-path.js';
import { type Place, Way } from './place.js';

interface Node<Value> {
  value?: Value;
  below?: Map<BytePath, Node<Value>>;
}

export class PathIndex<Value> {
  private readonly root: Node<Value> = {};
  private readonly way = new Way();
  /** What is known of the parts of the way to the place that was asked for last. */
  private readonly known: (Node<Value> | undefined)[] = [];

  /** All that is to be known must be there before the first look. */
  set(path: BytePath, value: Value): void {
    let node = this.root;
    for (const name of path === ROOT ? [] : (path.split('/') as BytePath[])) {
      node.below ??= new Map();
      const next = node.below.get(name) ?? {};
      node.below.set(name, next);
      node = next;
    }
    node.value = value;
  }

  /** Takes as long as what is new of the way there. */
  get(place: Place): Value | undefined {
    this.known.length = Math.min(this.known.length, this.way.take(place));
    for (let depth = this.known.length; depth <= place.depth; depth += 1) {
      const { name } = this.way.at(depth);
      this.known.push(depth === 0 ? this.root : this.known[depth - 1]?.below?.get(name));
    }
    return this.known[place.depth]?.value;
  }
}
