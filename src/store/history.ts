/** The history of a repository: its versions, by their manifests, which are the truth. */

import type { Files, FilesRead } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import { damaged, decodeKnownManifest, decodeManifest, digestManifest } from '../model/manifest.js';
import { isVersionId } from '../model/names.js';
import type { Parent, Version, VersionId } from '../model/version.js';
import { type CachedGraph, type GraphNode, readGraph, writeGraph } from './graph-cache.js';
import type { RepositoryLayout } from './layout.js';

/** So many manifests are read before it is worth to write down what was in them. */
const REMEMBER_FROM = 64;

export class History {
  private byNumber: ReadonlyMap<number, VersionId> | undefined;

  private constructor(
    private readonly files: FilesRead,
    private readonly layout: RepositoryLayout,
    private readonly all: readonly VersionId[],
    /** Those that the cache does not know, or that were asked for. */
    private readonly graph: Map<VersionId, GraphNode>,
    private readonly cached: CachedGraph,
    /** Those whose manifests were read. */
    private readonly loaded: Map<VersionId, Version>,
  ) {}

  /**
   * Reads the manifests of which the graph cache does not know; any other one when it is asked for.
   * @throws LxcvError `store-damaged` or `store-newer` for a manifest that cannot be read.
   */
  static read(files: FilesRead, layout: RepositoryLayout): History {
    const graph = new Map<VersionId, GraphNode>();
    const loaded = new Map<VersionId, Version>();
    const names: string[] = files.stat(layout.versions) === undefined ? [] : files.list(layout.versions);
    const cached = readGraph(files, layout.graph);
    const all = names.filter(isVersionId).filter((id) => {
      if (cached.has(id)) return true;
      const { manifest } = layout.version(id);
      const bytes = files.readIfPresent(manifest);
      if (bytes === undefined) return false;
      const version = decodeManifest(bytes, manifest);
      if (version.id !== id) throw damaged(manifest, 'id');
      loaded.set(id, version);
      const parents = version.parents.map((parent) => parent.id);
      graph.set(id, { number: version.number, parents, digest: digestManifest(bytes) });
      return true;
    });
    // It may know versions that went.
    if (all.length - graph.size < cached.size) cached.keep(new Set(all));
    return new History(files, layout, all, graph, cached, loaded);
  }

  /** Writes the graph cache where that spares the next reading much. */
  remember(files: Files): void {
    if (this.loaded.size < REMEMBER_FROM) return;
    const nodes = this.all.map((id) => [id, this.node(id) as GraphNode] as const);
    writeGraph(files, this.layout.graph, nodes);
  }

  get size(): number {
    return this.all.length;
  }

  /** Of every version, in no order. */
  ids(): Iterable<VersionId> {
    return this.all;
  }

  findNumber(number: number): Version | undefined {
    const id = this.numbers().get(number);
    return id === undefined ? undefined : this.get(id);
  }

  /** The ids that begin so. */
  findPrefix(prefix: string): VersionId[] {
    return this.all.filter((id) => id.startsWith(prefix));
  }

  /**
   * @throws LxcvError `store-damaged` where a ref or a record names a version that is not there, or its manifest is not what it
   * was when the graph cache was written.
   */
  get(id: VersionId): Version {
    const version = this.loaded.get(id) ?? this.load(id);
    if (version !== undefined) return version;
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

  /** The number of the version that is made next. */
  get nextNumber(): number {
    let last = -1;
    for (const number of this.numbers().keys()) last = Math.max(last, number);
    return last + 1;
  }

  private node(id: VersionId): GraphNode | undefined {
    const node = this.graph.get(id) ?? this.cached.node(id);
    if (node !== undefined) this.graph.set(id, node);
    return node;
  }

  private numbers(): ReadonlyMap<number, VersionId> {
    this.byNumber ??= new Map(this.all.map((id) => [this.numberOf(id), id]));
    return this.byNumber;
  }

  private load(id: VersionId): Version | undefined {
    const node = this.node(id);
    const { manifest } = this.layout.version(id);
    const bytes = node === undefined ? undefined : this.files.readIfPresent(manifest);
    if (node === undefined || bytes === undefined) return undefined;
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
