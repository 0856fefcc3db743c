/** list: the containers that have versions. */

import type { ContainerState } from '../host/lxc.js';
import { isUntouched, listDifferences } from '../layer/diff.js';
import { hasChange } from '../model/changes.js';
import { LxcvError } from '../model/errors.js';
import type { BranchName, ContainerName, RefName, RepositoryName, Version } from '../model/version.js';
import type { Versioned } from '../store/containers.js';
import type { NotStarted } from '../store/restarts.js';
import { listRepositories } from '../store/store.js';
import { tellChangedBases } from './changed-bases.js';
import { describe } from './describe.js';
import { layersOfVersion, layersToRead } from './layers.js';
import { type ListedAside, listSetAside } from './list-set-aside.js';
import { headIdOf, isConfined, type Repository, refsAt } from './lookup.js';
import { notStarted } from './restart.js';
import { runJob } from './run-job.js';
import { type Found, surveyRepositories, type Trouble } from './survey.js';
import type { World } from './world.js';

export interface Listing {
  readonly containers: readonly ListedContainer[];
  /** The repositories that no container stands on. */
  readonly repositories: readonly UnusedRepository[];
  readonly setAside: readonly ListedAside[];
  /** Those that lxcv has stopped, and could not start again. */
  readonly notStarted: readonly NotStarted[];
  /** What could not be told. */
  readonly troubles: readonly Trouble[];
}

interface UnusedRepository {
  readonly name: RepositoryName;
  readonly versions: number;
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
  const names = listRepositories(world.host, world.lxcpath);
  const states = await world.host.lxc.states(world.lxcpath);
  const { found, troubles } = await surveyRepositories<ListedContainer | UnusedRepository>(world, names, {
    container: async (reading, repository, { name, versioned }) =>
      listed(reading, repository, name, versioned, await states(name)),
    unused({ name, history: { size: versions } }) {
      return versions === 0 ? [] : [{ name, versions }];
    },
  });
  const containers = found.filter((each): each is ListedContainer => 'repository' in each);
  const repositories = found.filter((each): each is UnusedRepository => 'versions' in each);
  const asides = names.map((name) => asidesOf(world, name));
  return {
    containers: containers.sort((a, b) => (a.name < b.name ? -1 : 1)),
    repositories,
    setAside: asides.flatMap((each) => each.found),
    notStarted: notStarted(world, names),
    troubles: [...troubles, ...asides.flatMap((each) => each.troubles)],
  };
}

function asidesOf(world: World, repository: RepositoryName): Found<ListedAside> {
  try {
    return { found: listSetAside(world, [repository]), troubles: [] };
  } catch (error) {
    if (!isConfined(error)) throw error;
    return { found: [], troubles: [{ repository, container: null, error }] };
  }
}

async function listed(
  world: World,
  repository: Repository,
  name: ContainerName,
  versioned: Versioned,
  state: ContainerState,
): Promise<ListedContainer> {
  tellChangedBases(world, versioned.working.bases);
  const head = headIdOf(world, repository, versioned);
  const version = head === undefined ? null : repository.history.get(head);
  return {
    name,
    repository: repository.name,
    branch: versioned.working.branch,
    version,
    refs: refsAt(repository, head),
    describe: describe(repository, head),
    state,
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
  const { files } = world.host;
  const before = version === null ? [] : layersOfVersion(repository.layout, version);
  try {
    const [delta, ...below] = layersToRead(world, versioned) as [string, ...string[]];
    const [top] = below;
    if (top !== undefined && below.join() === before.join() && isUntouched(files, delta, top)) return false;
    const changed = hasChange(listDifferences(files, before, [delta, ...below], { coarse: true }));
    return await runJob(world, `looking for what changed in ${name}`, changed);
  } catch (error) {
    if (error instanceof LxcvError) return null;
    throw error;
  }
}
