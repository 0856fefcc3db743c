/**
 * The graph of a repository in one file, so that a long history need not be read manifest by manifest: whoever finds it
 * missing or older than the history writes it again. What a version is its manifest tells, known here by its digest. See
 * docs/decisions/0014-graph-cache.md.
 */

import type { Files, FilesRead } from '../host/files.js';
import type { VersionId } from '../model/version.js';
import { indexLines, readSealed, writeSealed } from './sealed-text.js';

/** What of a version its place in the graph is. */
export interface GraphNode {
  readonly number: number;
  readonly parents: readonly VersionId[];
  /** The digest of its manifest: see `digestManifest`. */
  readonly digest: string;
}

const HEAD = 'lxcv graph 1\n';
const DIGEST_CHARACTERS = 64;
/** To look for so many lines takes as long as to learn where each begins. */
const LOOKUPS_WITHOUT_INDEX = 32;

/** What the file at `path` holds; nothing where it is of no use. */
export function readGraph(files: FilesRead, path: string): CachedGraph {
  return new CachedGraph(readSealed(files, path, HEAD));
}

/** Nodes by their ids. A line is taken apart when it is asked for: most commands look at few of them. */
export class CachedGraph {
  /** Where the line of each begins, once that is worth it. */
  private index: ReadonlyMap<string, number> | undefined;
  private lookups = 0;
  /** The end of the line that was found last: the next one that is asked for is mostly that of a parent. */
  private at = 0;

  /** @param text lines that `writeGraph` wrote. */
  constructor(private readonly text: string) {}

  get size(): number {
    return this.lines().size;
  }

  has(id: VersionId): boolean {
    return this.lines().has(id);
  }

  node(id: VersionId): GraphNode | undefined {
    const start = this.startOf(id);
    if (start === undefined) return undefined;
    const { text } = this;
    const number = start + id.length + 1;
    const digest = text.indexOf(' ', number) + 1;
    const end = text.indexOf('\n', digest);
    this.at = end + 1;
    const parents = text.slice(digest + DIGEST_CHARACTERS + 1, end) as VersionId;
    const ids = parents.includes(' ') ? (parents.split(' ') as VersionId[]) : parents === '' ? [] : [parents];
    return new CachedNode(Number(text.slice(number, digest - 1)), ids, text, digest);
  }

  private startOf(id: VersionId): number | undefined {
    if (this.text.startsWith(id, this.at) && this.text[this.at + id.length] === ' ') return this.at;
    this.lookups += 1;
    if (this.index !== undefined || this.lookups > LOOKUPS_WITHOUT_INDEX) return this.lines().get(id);
    if (this.text.startsWith(`${id} `)) return 0;
    const newline = this.text.indexOf(`\n${id} `);
    return newline < 0 ? undefined : newline + 1;
  }

  private lines(): ReadonlyMap<string, number> {
    this.index ??= indexLines(this.text);
    return this.index;
  }
}

class CachedNode implements GraphNode {
  constructor(
    readonly number: number,
    readonly parents: readonly VersionId[],
    private readonly text: string,
    private readonly at: number,
  ) {}

  /** Put together when it is asked for: few are. */
  get digest(): string {
    return `sha256:${this.text.slice(this.at, this.at + DIGEST_CHARACTERS)}`;
  }
}

/** Newest first, as it is walked. */
export function writeGraph(files: Files, path: string, graph: Iterable<readonly [VersionId, GraphNode]>): void {
  const lines = [...graph]
    .sort(([, a], [, b]) => b.number - a.number)
    .map(
      ([id, { number, digest, parents }]) => `${[id, number, digest.replace(/^sha256:/, ''), ...parents].join(' ')}\n`,
    );
  writeSealed(files, path, HEAD, lines.join(''));
}
