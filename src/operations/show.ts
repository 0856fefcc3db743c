/** show: one version, what names it, and what it changed. */

import type { ChangeList } from '../model/changes.js';
import type { BranchName, ContainerName, TagName, Version } from '../model/version.js';
import { tellChangedBases } from './changed-bases.js';
import { tellChanges } from './diff.js';
import { findRevision } from './find-revision.js';
import { layersOfVersion } from './layers.js';
import { branchesAt, containersOf, headIdOf, type Repository, tagsAt } from './lookup.js';
import { listingsOf } from './operand.js';
import { foldPackages, type PackageFold } from './packages.js';
import type { ToldChange } from './told-changes.js';
import type { World } from './world.js';

export interface ShownVersion {
  readonly version: Version;
  readonly parents: readonly Version[];
  readonly branches: readonly BranchName[];
  readonly tags: readonly TagName[];
  /** The containers whose HEAD it is. */
  readonly heads: readonly ContainerName[];
  /** True where its delta has a sealed listing. */
  readonly sealed: boolean;
  /** Against its first parent or, without one, its bases. */
  readonly changes: ChangeList<ToldChange>;
  /** The packages that differ, with those of the changes that are theirs. */
  readonly packages: readonly PackageFold[];
}

/** @throws LxcvError `bad-revision`, `revision-not-found`, `base-missing`, `store-damaged`. */
export async function showVersion(world: World, revision: string): Promise<ShownVersion> {
  const { repository, version } = findRevision(world, revision);
  const { history, layout } = repository;
  tellChangedBases(world, version.bases);
  return {
    version,
    parents: version.parents.map(({ id }) => history.get(id)),
    branches: branchesAt(repository, version.id),
    tags: tagsAt(repository, version.id),
    heads: containersOf(world, repository.name)
      .filter(({ versioned }) => headIdOf(world, repository, versioned) === version.id)
      .map(({ name }) => name),
    sealed: world.host.files.stat(layout.version(version.id).entries) !== undefined,
    ...(await changesOf(world, repository, version)),
  };
}

async function changesOf(
  world: World,
  repository: Repository,
  version: Version,
): Promise<Pick<ShownVersion, 'changes' | 'packages'>> {
  const { history, layout } = repository;
  const [parent] = version.parents;
  const before =
    parent === undefined ? version.bases.map((base) => base.path) : layersOfVersion(layout, history.get(parent.id));
  const after = layersOfVersion(layout, version);
  const changes = await tellChanges(world, before, after, {
    what: `looking for what @${version.number} changed`,
    listings: listingsOf({ repository, version }),
    withoutSizes: true,
  });
  const trees = [
    { name: `what lies below @${version.number}`, layers: before },
    { name: `@${version.number}`, layers: after },
  ] as const;
  return { changes, packages: await foldPackages(world, ...trees, changes) };
}
