/**
 * The graph of a repository in one file, so that a long history need not be read manifest by manifest. It can always be made
 * again: whoever finds it missing, older than the history or damaged does so. Which versions there are the directory of
 * versions tells, and what they are their manifests, each known here by its digest. See docs/decisions/0014-graph-cache.md.
 */

import { createHash } from 'node:crypto';
import { type Files, type FilesRead, isErrno } from '../host/files.js';
import type { VersionId } from '../model/version.js';

/** What of a version its place in the graph is. */
export interface GraphNode {
  readonly number: number;
  readonly parents: readonly VersionId[];
  /** The digest of its manifest: see `digestManifest`. */
  readonly digest: string;
}

const HEAD = 'lxcv graph 1\n';

/** What the file at `path` holds; nothing where it is missing, cut short, damaged or of another format. */
export function readGraph(files: FilesRead, path: string): CachedGraph {
  const bytes = files.readIfPresent(path) ?? Buffer.alloc(0);
  const end = bytes.lastIndexOf('\n', -2) + 1;
  const isWhole =
    bytes.subarray(0, HEAD.length).equals(Buffer.from(HEAD)) &&
    bytes.toString('latin1', end) === seal(bytes.subarray(0, end));
  return new CachedGraph(isWhole ? bytes.toString('latin1', HEAD.length, end) : '');
}

/** Nodes by their ids. A line is taken apart when it is asked for: most commands look at few of them. */
export class CachedGraph {
  /** Where the line of each begins. */
  private readonly lines = new Map<string, number>();

  /** @param text lines that `writeGraph` wrote. */
  constructor(private readonly text: string) {
    for (let start = 0; start < text.length; start = text.indexOf('\n', start) + 1) {
      this.lines.set(text.slice(start, text.indexOf(' ', start)), start);
    }
  }

  get size(): number {
    return this.lines.size;
  }

  has(id: VersionId): boolean {
    return this.lines.has(id);
  }

  node(id: VersionId): GraphNode | undefined {
    const start = this.lines.get(id);
    if (start === undefined) return undefined;
    const [, number, digest, ...parents] = this.text.slice(start, this.text.indexOf('\n', start)).split(' ');
    return { number: Number(number), digest: `sha256:${digest}`, parents: parents as VersionId[] };
  }

  /** Forgets all other ids. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.lines.keys()) if (!ids.has(id)) this.lines.delete(id);
  }
}

/**
 * Writes a graph, in one rename. Nothing is lost where that cannot be: on a read-only store, say. It need not be durable, for a
 * file that a power cut leaves incomplete is none.
 */
export function writeGraph(files: Files, path: string, graph: Iterable<readonly [VersionId, GraphNode]>): void {
  const lines = [...graph].map(
    ([id, { number, digest, parents }]) => `${[id, number, digest.replace(/^sha256:/, ''), ...parents].join(' ')}\n`,
  );
  const text = `${HEAD}${lines.join('')}`;
  const partial = `${path}.partial`;
  try {
    if (files.stat(partial) !== undefined) files.unlink(partial);
    files.create(partial, `${text}${seal(text)}`, 0o600);
    files.rename(partial, path);
  } catch (error) {
    if (!isErrno(error, 'EROFS', 'ENOSPC', 'EDQUOT', 'EEXIST', 'ENOENT')) throw error;
  }
}

function seal(content: string | Buffer): string {
  return `${createHash('sha256').update(content).digest('hex')}\n`;
}
