/**
 * What `log` tells of versions, in one file, so that a long one need not read as many manifests. A line counts only as long as its
 * manifest is, by inode, size and times, the one that it was made of: see docs/decisions/0014-graph-cache.md.
 */

import type { Files, FilesRead } from '../host/files.js';
import { bytesToText } from '../model/byte-path.js';
import type { Summary, VersionId } from '../model/version.js';
import { indexLines, readSealed, writeSealed } from './sealed-text.js';

const HEAD = 'lxcv summaries 4\n';

/** Summaries by id and manifest. */
export class CachedSummaries {
  /** The end of the line that was found last: mostly they are asked for in the order in which they were written. */
  private at = 0;
  /** Where the line of each begins, once one was asked for out of order. */
  private index: ReadonlyMap<string, number> | undefined;

  /** @param text lines, each made by `encodeSummary`. */
  private constructor(private readonly text: string) {}

  static read(files: FilesRead, path: string): CachedSummaries {
    return new CachedSummaries(readSealed(files, path, HEAD));
  }

  /**
   * What makes the summary, anew each time: of thousands that are shown none need stay in memory.
   * @param stamp of its manifest, as it is now: see `Files`; undefined where that is gone.
   */
  find(id: VersionId, stamp: string | undefined): (() => Summary) | undefined {
    if (stamp === undefined) return undefined;
    const { text } = this;
    const line = text.startsWith(id, this.at) ? this.at : this.lines().get(id);
    if (line === undefined) return undefined;
    const stampAt = line + id.length + 1;
    if (!text.startsWith(stamp, stampAt)) return undefined;
    const from = stampAt + stamp.length + 1;
    const to = text.indexOf('\n', from);
    this.at = to + 1;
    return () => fromJson(bytesToText(text.slice(from, to)));
  }

  /** The line of one that was found. */
  line(id: VersionId): string {
    const start = this.lines().get(id) ?? this.text.length;
    return this.text.slice(start, this.text.indexOf('\n', start) + 1);
  }

  private lines(): ReadonlyMap<string, number> {
    this.index ??= indexLines(this.text);
    return this.index;
  }
}

/**
 * The line of a version.
 * @param stamp that its manifest had before it was read; undefined where that was gone, which no manifest that is there has.
 */
export function encodeSummary(summary: Summary, stamp: string | undefined): string {
  return Buffer.from(`${summary.id} ${stamp} ${toJson(summary)}\n`).toString('latin1');
}

export function writeSummaries(files: Files, path: string, lines: readonly string[]): void {
  writeSealed(files, path, HEAD, lines.join(''));
}

/** One array, without names and without others in it: that is half as long, and sooner read. The parents come last. */
function toJson({ id, number, parents, message, author, time, branch, changes, pause }: Summary): string {
  const { added, modified, removed, bytes } = changes;
  return JSON.stringify([
    ...[id, number, message, author.name, author.email, time, branch],
    ...[added, modified, removed, bytes, pause ?? null],
    ...parents.map((parent) => parent.id),
  ]);
}

/** By places: to take the array apart as a whole would take as long as to parse it. */
function fromJson(json: string): Summary {
  const told = JSON.parse(json);
  const parents: { id: VersionId }[] = [];
  for (let at = 12; at < told.length; at += 1) parents.push({ id: told[at] });
  const summary: Summary = {
    id: told[0],
    number: told[1],
    parents,
    message: told[2],
    author: { name: told[3], email: told[4] },
    time: told[5],
    branch: told[6],
    changes: { added: told[7], modified: told[8], removed: told[9], bytes: told[10] },
  };
  return told[11] === null ? summary : { ...summary, pause: told[11] };
}
