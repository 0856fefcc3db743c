/** status: what a container holds that its last version does not. */

import type { ContainerState } from '../host/lxc.js';
import type { ChangeList } from '../model/changes.js';
import type { BranchName, ContainerName, RefName, RepositoryName, Version } from '../model/version.js';
import { tellChangedBases } from './changed-bases.js';
import { describe } from './describe.js';
import { tellChanges } from './diff.js';
import { checkUnedited, layersOfContainer, layersOfVersion } from './layers.js';
import { readRepository, refsAt, requireVersioned } from './lookup.js';
import { listingsOf } from './operand.js';
import { foldPackages, type PackageFold } from './packages.js';
import type { ToldChange } from './told-changes.js';
import type { World } from './world.js';

export interface Status {
  readonly container: ContainerName;
  readonly repository: RepositoryName;
  /** null: detached. */
  readonly branch: BranchName | null;
  /** HEAD. */
  readonly version: Version | null;
  /** The branches and tags that name that. */
  readonly refs: readonly RefName[];
  /** Its name after the nearest tag: see `describe`. */
  readonly describe: string | null;
  readonly state: ContainerState;
  readonly changes: ChangeList<ToldChange>;
  /** The packages that differ, with those of the changes that are theirs. */
  readonly packages: readonly PackageFold[];
}

/** @throws LxcvError `container-not-found`, `not-versioned`, `container-edited`. */
export async function status(world: World, name: ContainerName): Promise<Status> {
  const container = requireVersioned(world, name);
  checkUnedited(container);
  const { versioned } = container;
  tellChangedBases(world, versioned.working.bases);
  const repository = readRepository(world, versioned.repository);
  const [head] = versioned.working.parents;
  const version = head === undefined ? null : repository.history.get(head);
  const before = version === null ? [] : layersOfVersion(repository.layout, version);
  const after = layersOfContainer(versioned);
  const changes = await tellChanges(world, before, after, {
    what: `looking for what changed in ${name}`,
    listings: version === null ? new Map() : listingsOf({ repository, version }),
    withoutSizes: true,
  });
  const trees = [
    { name: `the last version of ${name}`, layers: before },
    { name, layers: after },
  ] as const;
  return {
    container: name,
    repository: repository.name,
    branch: versioned.working.branch,
    version,
    refs: refsAt(repository, head),
    describe: describe(repository, head),
    state: await world.host.lxc.state(world.lxcpath, name),
    changes,
    packages: await foldPackages(world, ...trees, changes),
  };
}
