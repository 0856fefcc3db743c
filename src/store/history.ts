/**
 * The history of a repository: its versions, by their manifests, which are the truth. What is read of many is written to the two
 * caches, so reading may write: see graph-cache.ts and summary-cache.ts.
 */

import { type Files, isSystemError } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import { damaged, decodeKnownManifest, decodeManifest, digestManifest } from '../model/manifest.js';
import { isVersionId } from '../model/names.js';
import type { Parent, Summary, Version, VersionId } from '../model/version.js';
import { type CachedGraph, type GraphNode, readGraph, writeGraph } from './graph-cache.js';
import { manifestBelow, type RepositoryLayout } from './layout.js';
import { listStoreDirectory, readStoreFile } from './store-file.js';
import { CachedSummaries, encodeSummary, writeSummaries } from './summary-cache.js';

/** So many manifests are read before it is worth to write down what was in them. */
const REMEMBER_FROM = 64;

export class History {
  /** Of those that were asked for; undefined for what is no version. */
  private readonly graph = new Map<VersionId, GraphNode | undefined>();
  /** Those whose manifests were read. */
  private readonly loaded = new Map<VersionId, Version>();
  /** All there are, once that was asked for. */
  private listed: ReadonlySet<VersionId> | undefined;
  private readonly damaged = new Map<VersionId, Error>();
  /** How many manifests were read of which the cache did not know. */
  private unknown = 0;
  private byNumber: ReadonlyMap<number, VersionId> | undefined;

  private constructor(
    private readonly files: Files,
    private readonly layout: RepositoryLayout,
    private readonly cached: CachedGraph,
  ) {}

  /** Manifests are read when they are asked for, those of which the graph cache does not know with what needs them. */
  static read(files: Files, layout: RepositoryLayout): History {
    return new History(files, layout, readGraph(files, layout.graph));
  }

  /** How many versions there are, whether or not their manifests can be read. */
  get size(): number {
    return this.names().filter((id) => this.cached.has(id) || this.isThere(id)).length;
  }

  /** Of every version whose manifest can be read, in no order. */
  ids(): Iterable<VersionId> {
    return this.all();
  }

  /** What is wrong with the manifests that cannot be read. Others do not need them, but for those that come from them. */
  get unreadable(): ReadonlyMap<VersionId, Error> {
    this.all();
    return this.damaged;
  }

  /** @throws LxcvError `store-damaged` or `store-newer`, as all that follows, for a manifest that is needed and cannot be read. */
  has(id: VersionId): boolean {
    return this.node(id) !== undefined;
  }

  findNumber(number: number): Version | undefined {
    const id = this.numbers().get(number);
    return id === undefined ? undefined : this.get(id);
  }

  /** The ids that begin so. */
  findPrefix(prefix: string): VersionId[] {
    return [...this.all()].filter((id) => id.startsWith(prefix));
  }

  /**
   * @throws LxcvError `store-damaged` where a ref or a record names a version that is not there, or its manifest is not what it
   * was when the graph cache was written.
   */
  get(id: VersionId): Version {
    const version = this.load(id);
    if (version !== undefined) return version;
    const reason = this.damaged.get(id);
    if (reason !== undefined) throw reason;
    throw new LxcvError(
      'store-damaged',
      `version ${id} is missing from the store`,
      'Restore its directory from a backup of the store. lxcv changed nothing.',
    );
  }

  parentsOf = (id: VersionId): readonly VersionId[] => this.node(id)?.parents ?? [];

  /** Of a version that is there. */
  numberOf = (id: VersionId): number => this.node(id)?.number ?? this.get(id).number;

  /** A version as its child names it. */
  asParent(id: VersionId): Parent {
    const version = this.get(id);
    return { id: version.id, digest: this.node(id)?.digest as string };
  }

  /** The number of the version that is made next. Numbers have no gaps, so that one which cannot be read is below the count. */
  get nextNumber(): number {
    let last = this.all().size + this.damaged.size - 1;
    for (const number of this.numbers().keys()) last = Math.max(last, number);
    return last + 1;
  }

  /** What makes, anew each time, what `log` tells of each of many versions. */
  summaries(ids: readonly VersionId[]): (() => Summary)[] {
    if (ids.length < REMEMBER_FROM) return ids.map((id) => this.summaryOf(id));
    if (this.unknown >= REMEMBER_FROM) this.all();
    const { files, layout } = this;
    const cached = CachedSummaries.read(files, layout.summaries);
    using versions = files.openDirectory(layout.versions);
    files.expectLooks(ids.length);
    const manifests = ids.map(manifestBelow);
    const stamps = versions === undefined ? [] : files.stamps(versions, manifests);
    /** Of those that the file did not tell, or not as they are now. */
    const lines = new Map<VersionId, string>();
    const told = ids.map((id, index) => {
      const stamp = stamps[index];
      const tell = cached.find(id, stamp);
      if (tell !== undefined) return tell;
      const read = this.summaryOf(id);
      lines.set(id, encodeSummary(read(), stamp));
      return read;
    });
    if (lines.size >= REMEMBER_FROM) {
      writeSummaries(
        files,
        layout.summaries,
        ids.map((id) => lines.get(id) ?? cached.line(id)),
      );
    }
    return told;
  }

  private summaryOf(id: VersionId): () => Summary {
    const version = this.get(id);
    return () => version;
  }

  private all(): ReadonlySet<VersionId> {
    if (this.listed !== undefined) return this.listed;
    const { files, layout, cached, graph } = this;
    this.listed = new Set(this.names().filter((id) => cached.has(id) || this.isReadable(id)));
    // The cache may know versions that went.
    for (const id of graph.keys()) if (!this.listed.has(id)) graph.set(id, undefined);
    if (this.unknown >= REMEMBER_FROM) {
      writeGraph(
        files,
        layout.graph,
        Array.from(this.listed, (id) => [id, this.node(id) as GraphNode] as const),
      );
    }
    return this.listed;
  }

  private names(): VersionId[] {
    return listStoreDirectory(this.files, this.layout.versions).filter(isVersionId);
  }

  private isThere(id: VersionId): boolean {
    return this.files.stat(this.layout.version(id).manifest) !== undefined;
  }

  /** False also for what is no version. */
  private isReadable(id: VersionId): boolean {
    try {
      return this.node(id) !== undefined;
    } catch (error) {
      if (!(error instanceof LxcvError) && !isSystemError(error)) throw error;
      this.damaged.set(id, error as Error);
      return false;
    }
  }

  private node(id: VersionId): GraphNode | undefined {
    const known = this.graph.get(id);
    if (known !== undefined || this.graph.has(id)) return known;
    const node = this.listed === undefined || this.listed.has(id) ? (this.cached.node(id) ?? this.read(id)) : undefined;
    this.graph.set(id, node);
    return node;
  }

  /** What a manifest says of which the cache knows nothing. */
  private read(id: VersionId): GraphNode | undefined {
    const { manifest } = this.layout.version(id);
    const bytes = readStoreFile(this.files, manifest);
    if (bytes === undefined) return undefined;
    const version = decodeManifest(bytes, manifest);
    if (version.id !== id) throw damaged(manifest, 'id');
    this.loaded.set(id, version);
    this.unknown += 1;
    return {
      number: version.number,
      parents: version.parents.map((parent) => parent.id),
      get digest() {
        return digestManifest(bytes);
      },
    };
  }

  private numbers(): ReadonlyMap<number, VersionId> {
    this.byNumber ??= new Map([...this.all()].map((id) => [this.numberOf(id), id]));
    return this.byNumber;
  }

  private load(id: VersionId): Version | undefined {
    const node = this.node(id);
    const read = this.loaded.get(id);
    if (node === undefined || read !== undefined) return read;
    const { manifest } = this.layout.version(id);
    const bytes = readStoreFile(this.files, manifest);
    if (bytes === undefined) return undefined;
    if (digestManifest(bytes) !== node.digest) throw this.changedMeanwhile(bytes, manifest);
    const version = decodeKnownManifest(bytes);
    this.loaded.set(id, version);
    return version;
  }

  /** Manifests do not change: one of the two is damaged. */
  private changedMeanwhile(bytes: Buffer, manifest: string): LxcvError {
    decodeManifest(bytes, manifest);
    return new LxcvError(
      'store-damaged',
      `${manifest} is not the one of which ${this.layout.graph} tells`,
      `lxcv fsck tells whether it is as it should be. If so, remove ${this.layout.graph}: it is made again.`,
    );
  }
}
