/** list: the containers that have versions. */

import { isUntouched } from '../layer/diff.js';
import type { ContainerState } from '../model/container-state.js';
import { LxcvError } from '../model/errors.js';
import type { ListedAside, ListedContainer, Listing, UnusedRepository } from '../model/results.js';
import type { ContainerName, RepositoryName, VersionId } from '../model/version.js';
import { isChanged } from '../plumbing/changed.js';
import { reportChangedBases } from '../plumbing/changed-bases.js';
import type { Context } from '../plumbing/context.js';
import { describe } from '../plumbing/describe.js';
import { layersBefore, layersToRead } from '../plumbing/layers.js';
import { headIdOf, isConfined, type Repository, refsAt } from '../plumbing/lookup.js';
import { notStarted } from '../plumbing/restart.js';
import { type Surveyed, silentMonitors, surveyRepositories } from '../plumbing/survey.js';
import type { Versioned } from '../store/containers.js';
import { listRepositories } from '../store/store.js';
import { listSetAside } from './list-set-aside.js';

export async function list(context: Context): Promise<Listing> {
  const { host, lxcpath } = context;
  const names = listRepositories(host, lxcpath);
  const states = await host.lxc.states(lxcpath, { abort: host.signals.abort });
  const { found, troubles } = await surveyRepositories<ListedContainer | UnusedRepository>(context, names, {
    container: async (reading, repository, { name, versioned }) =>
      listed(reading, repository, name, versioned, await states(name)),
    unused({ name, history: { size: versions } }) {
      return versions === 0 ? [] : [{ name, versions }];
    },
  });
  const containers = found.filter((each): each is ListedContainer => 'repository' in each);
  const repositories = found.filter((each): each is UnusedRepository => 'versions' in each);
  const asides = names.map((name) => asidesOf(context, name));
  return {
    containers: containers.sort((a, b) => (a.name < b.name ? -1 : 1)),
    repositories,
    setAside: asides.flatMap((each) => each.found),
    notStarted: notStarted(context, names),
    troubles: [
      ...troubles,
      ...silentMonitors(context, containers, ({ name }) => name),
      ...asides.flatMap((each) => each.troubles),
    ],
  };
}

function asidesOf(context: Context, repository: RepositoryName): Surveyed<ListedAside> {
  try {
    return { found: listSetAside(context, [repository]), troubles: [] };
  } catch (error) {
    if (!isConfined(error)) throw error;
    return { found: [], troubles: [{ repository, container: null, error }] };
  }
}

async function listed(
  context: Context,
  repository: Repository,
  name: ContainerName,
  versioned: Versioned,
  state: ContainerState,
): Promise<ListedContainer> {
  reportChangedBases(context, versioned.working.bases);
  const head = headIdOf(context, repository, versioned);
  const version = head === undefined ? null : repository.history.get(head);
  return {
    name,
    repository: repository.name,
    branch: versioned.working.branch,
    version,
    refs: refsAt(repository, head),
    describe: describe(repository, head),
    state,
    dirty: await isDirty(context, repository, head, name, versioned),
  };
}

/** null where a layer or a base is gone. */
async function isDirty(
  context: Context,
  repository: Repository,
  head: VersionId | undefined,
  name: ContainerName,
  versioned: Versioned,
): Promise<boolean | null> {
  const { files } = context.host;
  const before = layersBefore(repository, head);
  try {
    const [delta, ...below] = layersToRead(context, versioned) as [string, ...string[]];
    const [top] = below;
    if (top !== undefined && below.join() === before.join() && isUntouched(files, delta, top)) return false;
    return await isChanged(context, { container: name, before, after: [delta, ...below] });
  } catch (error) {
    if (error instanceof LxcvError) return null;
    throw error;
  }
}
