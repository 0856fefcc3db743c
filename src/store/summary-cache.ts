/**
 * What `log` tells of versions, in one file, so that a long one need not read as many manifests. A line counts only as long as its
 * manifest is, by inode, size and times, the one that it was made of: see docs/decisions/0014-graph-cache.md.
 */

import type { Files, FilesRead, Stat } from '../host/files.js';
import { bytesToText } from '../model/byte-path.js';
import type { Version, VersionId } from '../model/version.js';
import { readSealed, writeSealed } from './sealed-text.js';

/** A version without what only its tree needs. */
export type Summary = Omit<Version, 'repository' | 'chain' | 'bases'>;

const HEAD = 'lxcv summaries 1\n';

/** Summaries by id and manifest. */
export class CachedSummaries {
  /** Behind the id: what `stamp` makes of the manifest, and the summary as JSON. */
  private readonly lines: ReadonlyMap<string, string>;

  private constructor(text: string) {
    this.lines = new Map(
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => [line.slice(0, line.indexOf(' ')), line]),
    );
  }

  static read(files: FilesRead, path: string): CachedSummaries {
    return new CachedSummaries(readSealed(files, path, HEAD));
  }

  /** @param manifest of the version, as it is now. */
  find(id: VersionId, manifest: Stat): Summary | undefined {
    const line = this.lines.get(id);
    const start = `${id} ${stamp(manifest)} `;
    return line?.startsWith(start) ? JSON.parse(bytesToText(line.slice(start.length))) : undefined;
  }
}

export function writeSummaries(files: Files, path: string, summaries: Iterable<readonly [Summary, Stat]>): void {
  const lines = [...summaries].map(([summary, manifest]) => `${summary.id} ${stamp(manifest)} ${toJson(summary)}\n`);
  writeSealed(files, path, HEAD, Buffer.from(lines.join('')).toString('latin1'));
}

/** Of a version, whose other properties are left out. */
function toJson({ id, number, parents, message, author, time, container, branch, changes, pause }: Summary): string {
  return JSON.stringify({ id, number, parents, message, author, time, container, branch, changes, pause });
}

function stamp({ inode, size, mtimeNs, ctimeNs }: Stat): string {
  return `${inode} ${size} ${mtimeNs} ${ctimeNs}`;
}
