/** The history of a repository: its versions, read from their manifests, which are the truth. */

import type { FilesRead } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import { damaged, decodeManifest, digestManifest } from '../model/manifest.js';
import { isVersionId } from '../model/names.js';
import type { Parent, Version, VersionId } from '../model/version.js';
import type { RepositoryLayout } from './layout.js';

export class History {
  private readonly byNumber = new Map<number, Version>();

  private constructor(
    private readonly byId: ReadonlyMap<VersionId, Version>,
    private readonly digests: ReadonlyMap<VersionId, string>,
  ) {
    for (const version of byId.values()) this.byNumber.set(version.number, version);
  }

  /** @throws LxcvError `store-damaged` or `store-newer` for a manifest that cannot be read. */
  static read(files: FilesRead, layout: RepositoryLayout): History {
    const versions = new Map<VersionId, Version>();
    const digests = new Map<VersionId, string>();
    const names: string[] = files.stat(layout.versions) === undefined ? [] : files.list(layout.versions);
    for (const id of names.filter(isVersionId)) {
      const { manifest } = layout.version(id);
      const bytes = files.readIfPresent(manifest);
      if (bytes === undefined) continue;
      const version = decodeManifest(bytes, manifest);
      if (version.id !== id) throw damaged(manifest, 'id');
      versions.set(id, version);
      digests.set(id, digestManifest(bytes));
    }
    return new History(versions, digests);
  }

  get size(): number {
    return this.byId.size;
  }

  /** Every version, in no order. */
  versions(): Iterable<Version> {
    return this.byId.values();
  }

  find(id: VersionId): Version | undefined {
    return this.byId.get(id);
  }

  findNumber(number: number): Version | undefined {
    return this.byNumber.get(number);
  }

  /** The versions whose ids begin so. */
  findPrefix(prefix: string): Version[] {
    return [...this.byId.values()].filter((version) => version.id.startsWith(prefix));
  }

  /** @throws LxcvError `store-damaged` where a ref or a record names a version that is not there. */
  get(id: VersionId): Version {
    const version = this.byId.get(id);
    if (version !== undefined) return version;
    throw new LxcvError(
      'store-damaged',
      `version ${id} is missing from the store`,
      'Restore its directory from a backup of the store. lxcv changed nothing.',
    );
  }

  parentsOf = (id: VersionId): VersionId[] => (this.byId.get(id)?.parents ?? []).map((parent) => parent.id);

  /** A version as its child names it. */
  asParent(id: VersionId): Parent {
    const digest = this.digests.get(id);
    return { id: this.get(id).id, digest: digest as string };
  }

  /** The number of the version that is made next. */
  get nextNumber(): number {
    return Math.max(-1, ...this.byNumber.keys()) + 1;
  }
}
