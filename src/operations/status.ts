/** status: what a container holds that its last version does not. */

import type { ContainerState } from '../host/lxc.js';
import type { ChangeList } from '../model/changes.js';
import type { BranchName, ContainerName, RefName, RepositoryName, Version } from '../model/version.js';
import type { VersionedContainer } from '../store/containers.js';
import { listRepositories } from '../store/store.js';
import { tellChangedBases } from './changed-bases.js';
import { describe } from './describe.js';
import { tellChanges } from './diff.js';
import { checkUnedited, layersOfVersion, layersToRead } from './layers.js';
import { headIdOf, type Repository, readToShow, refsAt, requireVersioned } from './lookup.js';
import { listingsOf } from './operand.js';
import { foldPackages, type PackageFold } from './packages.js';
import { surveyRepositories, type Trouble } from './survey.js';
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
  const state = await world.host.lxc.state(world.lxcpath, name);
  return await statusOf(world, readToShow(world, container.versioned.repository), container, state);
}

/** The statuses of all containers that have versions. */
export interface Statuses {
  readonly containers: readonly Status[];
  readonly troubles: readonly Trouble[];
}

/** Each container by itself: what is wrong with one is told, and the others are gone on with. */
export async function statusOfAll(world: World): Promise<Statuses> {
  const states = await world.host.lxc.states(world.lxcpath);
  const { found, troubles } = await surveyRepositories(world, listRepositories(world.host, world.lxcpath), {
    container: async (reading, repository, container) =>
      statusOf(reading, repository, container, await states(container.name)),
  });
  return { containers: [...found].sort((a, b) => (a.container < b.container ? -1 : 1)), troubles };
}

async function statusOf(
  world: World,
  repository: Repository,
  container: VersionedContainer,
  state: ContainerState,
): Promise<Status> {
  checkUnedited(container);
  const { name, versioned } = container;
  tellChangedBases(world, versioned.working.bases);
  const head = headIdOf(world, repository, versioned);
  const version = head === undefined ? null : repository.history.get(head);
  const before = version === null ? [] : layersOfVersion(repository.layout, version);
  const after = layersToRead(world, versioned);
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
    state,
    changes,
    packages: await foldPackages(world, ...trees, changes),
  };
}
