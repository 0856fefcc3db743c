/**
 * What `log` tells of versions, in one file, so that a long one need not read as many manifests. A line counts only as long as its
 * manifest is, by inode, size and times, the one that it was made of: see docs/decisions/0014-graph-cache.md.
 */

import type { Files, FilesRead } from '../host/files.js';
import { bytesToText } from '../model/byte-path.js';
import type { Version, VersionId } from '../model/version.js';
import { indexLines, readSealed, writeSealed } from './sealed-text.js';

/** A version without what only its tree needs. */
export type Summary = Omit<Version, 'repository' | 'chain' | 'bases'>;

const HEAD = 'lxcv summaries 2\n';

/** Summaries by id and manifest. */
export class CachedSummaries {
  /** The end of the line that was found last: mostly they are asked for in the order in which they were written. */
  private at = 0;
  /** Where the line of each begins, once one was asked for out of order. */
  private index: ReadonlyMap<string, number> | undefined;

  /** @param text lines that `writeSummaries` wrote. */
  private constructor(private readonly text: string) {}

  static read(files: FilesRead, path: string): CachedSummaries {
    return new CachedSummaries(readSealed(files, path, HEAD));
  }

  /** @param stamp of its manifest, as it is now: see `Files`; undefined where that is gone. */
  find(id: VersionId, stamp: string | undefined): Summary | undefined {
    if (stamp === undefined) return undefined;
    const start = `${id} ${stamp} `;
    const line = this.text.startsWith(start, this.at) ? this.at : this.lines().get(id);
    if (line === undefined || !this.text.startsWith(start, line)) return undefined;
    this.at = this.text.indexOf('\n', line) + 1;
    return fromJson(bytesToText(this.text.slice(line + start.length, this.at - 1)));
  }

  private lines(): ReadonlyMap<string, number> {
    this.index ??= indexLines(this.text);
    return this.index;
  }
}

export function writeSummaries(
  files: Files,
  path: string,
  summaries: Iterable<Summary>,
  stampOf: (id: VersionId) => string | undefined,
): void {
  const lines = Array.from(summaries, (summary) => `${summary.id} ${stampOf(summary.id)} ${toJson(summary)}\n`);
  writeSealed(files, path, HEAD, Buffer.from(lines.join('')).toString('latin1'));
}

/** Without names, which would be half of it. */
function toJson({ id, number, parents, message, author, time, container, branch, changes, pause }: Summary): string {
  return JSON.stringify([id, number, parents, message, author, time, container, branch, changes, pause ?? null]);
}

function fromJson(json: string): Summary {
  const [id, number, parents, message, author, time, container, branch, changes, pause] = JSON.parse(json);
  const summary = { id, number, parents, message, author, time, container, branch, changes };
  return pause === null ? summary : { ...summary, pause };
}
