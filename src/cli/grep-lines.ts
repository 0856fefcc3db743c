/** What grep found, as it comes: matches to be shown, and files that could not be searched to their end, which are kept. */

import type { Match, Unsearched } from '../model/results.js';

export class GrepLines {
  private count = 0;
  readonly unsearched: Unsearched[] = [];

  constructor(private readonly found: AsyncIterable<readonly (Match | Unsearched)[]>) {}

  /** True where nothing was found, or something may have been missed, once all was read. */
  get isLacking(): boolean {
    return this.count === 0 || this.unsearched.length > 0;
  }

  /** Some at a time. To be read once. */
  async *matches(): AsyncGenerator<readonly Match[]> {
    for await (const some of this.found) {
      const matches: Match[] = [];
      for (const one of some) {
        if ('reason' in one) this.unsearched.push(one);
        else matches.push(one);
      }
      this.count += matches.length;
      if (matches.length > 0) yield matches;
    }
  }
}
