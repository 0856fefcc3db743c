/** list: the containers that have versions. */

import type { ContainerState } from '../host/lxc.js';
import { listDifferences } from '../layer/diff.js';
import { hasChange } from '../model/changes.js';
import { LxcvError } from '../model/errors.js';
import type { BranchName, ContainerName, RefName, RepositoryName, Version } from '../model/version.js';
import type { Versioned } from '../store/containers.js';
import type { NotStarted } from '../store/restarts.js';
import { tellChangedBases } from './changed-bases.js';
import { describe } from './describe.js';
import { layersOfContainer, layersOfVersion } from './layers.js';
import { type ListedAside, listSetAside } from './list-set-aside.js';
import { containersOf, type Repository, readRepositories, refsAt } from './lookup.js';
import { notStarted } from './restart.js';
import { runJob } from './run-job.js';
import type { World } from './world.js';

export interface Listing {
  readonly containers: readonly ListedContainer[];
  /** The repositories that no container stands on. */
  readonly repositories: readonly { readonly name: RepositoryName; readonly versions: number }[];
  readonly setAside: readonly ListedAside[];
  /** Those that lxcv has stopped, and could not start again. */
  readonly notStarted: readonly NotStarted[];
}

interface ListedContainer {
  readonly name: ContainerName;
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
  /** True where it holds what no version has yet; null where that cannot be told, for a base or a layer is gone. */
  readonly dirty: boolean | null;
}

export async function list(world: World): Promise<Listing> {
  const containers: ListedContainer[] = [];
  const repositories: { name: RepositoryName; versions: number }[] = [];
  for (const repository of readRepositories(world)) {
    const users = containersOf(world, repository.name);
    if (users.length === 0) repositories.push({ name: repository.name, versions: repository.history.size });
    for (const { name, versioned } of users) containers.push(await listed(world, repository, name, versioned));
  }
  return {
    containers: containers.sort((a, b) => (a.name < b.name ? -1 : 1)),
    repositories,
    setAside: listSetAside(world),
    notStarted: notStarted(world),
  };
}

async function listed(
  world: World,
  repository: Repository,
  name: ContainerName,
  versioned: Versioned,
): Promise<ListedContainer> {
  tellChangedBases(world, versioned.working.bases);
  const [head] = versioned.working.parents;
  const version = head === undefined ? null : repository.history.get(head);
  return {
    name,
    repository: repository.name,
    branch: versioned.working.branch,
    version,
    refs: refsAt(repository, head),
    describe: describe(repository, head),
    state: await world.host.lxc.state(world.lxcpath, name),
    dirty: await isDirty(world, repository, version, name, versioned),
  };
}

/** Looks no further than the first change. */
async function isDirty(
  world: World,
  repository: Repository,
  version: Version | null,
  name: ContainerName,
  versioned: Versioned,
): Promise<boolean | null> {
  const before = version === null ? [] : layersOfVersion(repository.layout, version);
  try {
    const changed = hasChange(
      listDifferences(world.host.files, before, layersOfContainer(versioned), { coarse: true }),
    );
    return await runJob(world, `looking for what changed in ${name}`, changed);
  } catch (error) {
    if (error instanceof LxcvError) return null;
    throw error;
  }
}
