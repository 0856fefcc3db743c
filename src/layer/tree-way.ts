/** Looks into a tree in the order of a walk: directories that two places have in common are opened once. */

import type { FilesRead } from '../host/files.js';
import { type Place, ROOT_PLACE, Way } from '../model/place.js';
import { TreeDirectory, type TreeEntry } from './tree.js';

export class TreeWay implements Disposable {
  private readonly way = new Way();
  /** From the root on; undefined from the first on that is not there. */
  private readonly open: (TreeDirectory | undefined)[] = [];

  /** @param layers top first; none are an empty tree. */
  constructor(
    private readonly files: FilesRead,
    private readonly layers: readonly string[],
  ) {}

  [Symbol.dispose](): void {
    this.closeFrom(0);
  }

  /** What is there; it can be reached until the next is asked for. */
  find(place: Place): TreeEntry | undefined {
    if (this.layers.length === 0) return undefined;
    const parent = place.parent ?? ROOT_PLACE;
    this.closeFrom(this.way.take(parent));
    for (let depth = this.open.length; depth <= parent.depth; depth += 1) {
      const directory =
        depth === 0
          ? TreeDirectory.openRoot(this.files, this.layers)
          : this.open[depth - 1]?.openDirectory(this.way.at(depth).name);
      this.open.push(directory);
    }
    const directory = this.open.at(-1);
    return place.parent === undefined ? directory?.self() : directory?.entry(place.name);
  }

  private closeFrom(depth: number): void {
    while (this.open.length > depth) this.open.pop()?.[Symbol.dispose]();
  }
}
