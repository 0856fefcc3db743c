/**
 * Places in a tree: a way from the root, of which two places share what they have in common. A path is as long as all names on
 * the way together, and a container chooses how many these are; to name a place costs no more than its own name.
 */

import { type BytePath, ROOT } from './byte-path.js';

export interface Place {
  /** The directory that it lies in; undefined of the root. */
  readonly parent: Place | undefined;
  /** `''` of the root. */
  readonly name: BytePath;
  /** How many names lead there: 0 of the root. */
  readonly depth: number;
}

export const ROOT_PLACE: Place = { parent: undefined, name: ROOT, depth: 0 };

export function placeIn(parent: Place, name: BytePath): Place {
  return { parent, name, depth: parent.depth + 1 };
}

/** Takes as long as the path has bytes. */
export function pathOf(place: Place): BytePath {
  const names: BytePath[] = [];
  for (let part = place; part.parent !== undefined; part = part.parent) names.push(part.name);
  return names.reverse().join('/') as BytePath;
}

/** Makes places from depths and names that come in the order of a walk. */
export class PlaceReader {
  private readonly way: Place[] = [];

  /** undefined where what was read before holds nothing of that depth. */
  read(depth: number, name: BytePath): Place | undefined {
    if (depth === 0) this.way[0] = ROOT_PLACE;
    const parent = depth === 0 ? undefined : this.way[depth - 1];
    if (depth > 0 && parent === undefined) return undefined;
    const place = parent === undefined ? ROOT_PLACE : placeIn(parent, name);
    this.way.length = depth;
    this.way.push(place);
    return place;
  }

  /** The place of a path: takes as long as that has bytes, and shares what it can with the one before. */
  readPath(path: BytePath): Place {
    this.way[0] ??= ROOT_PLACE;
    const names = path === ROOT ? [] : (path.split('/') as BytePath[]);
    let shared = 0;
    while (shared < names.length && this.way[shared + 1]?.name === names[shared]) shared += 1;
    for (let depth = shared + 1; depth <= names.length; depth += 1) this.read(depth, names[depth - 1] as BytePath);
    return this.way[names.length] as Place;
  }
}

/** The way to the place that was taken last. */
export class Way {
  private readonly parts: Place[] = [];

  /** Takes a place; returns how many parts of the way there, the root among them, led to the last one too. */
  take(place: Place): number {
    this.parts.length = place.depth + 1;
    let kept = place.depth + 1;
    for (
      let part: Place | undefined = place;
      part !== undefined && this.parts[part.depth] !== part;
      part = part.parent
    ) {
      this.parts[part.depth] = part;
      kept = part.depth;
    }
    return kept;
  }

  /** The part that so many names lead to. */
  at(depth: number): Place {
    return this.parts[depth] as Place;
  }

  get depth(): number {
    return this.parts.length - 1;
  }
}

/** Values by place, of those whose directory is the same object. */
export class PlaceMap<Value> {
  private readonly values = new Map<Place | undefined, Map<BytePath, Value>>();

  set({ parent, name }: Place, value: Value): void {
    const inside = this.values.get(parent);
    if (inside === undefined) this.values.set(parent, new Map([[name, value]]));
    else inside.set(name, value);
  }

  get({ parent, name }: Place): Value | undefined {
    return this.values.get(parent)?.get(name);
  }
}
