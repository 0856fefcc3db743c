/** status: what a container holds that its last version does not. */

import { monitorSilent } from '../host/monitor.js';
import type { ContainerState } from '../model/container-state.js';
import type { Status, Statuses } from '../model/results.js';
import type { ContainerName } from '../model/version.js';
import { reportChangedBases } from '../plumbing/changed-bases.js';
import { compareTrees } from '../plumbing/compare-trees.js';
import type { Context } from '../plumbing/context.js';
import { describe } from '../plumbing/describe.js';
import { checkUnedited, layersBefore, layersToRead } from '../plumbing/layers.js';
import { headIdOf, type Repository, readToShow, refsAt, requireVersioned } from '../plumbing/lookup.js';
import { foldPackages } from '../plumbing/packages.js';
import { silentMonitors, surveyRepositories } from '../plumbing/survey.js';
import { listingsOf } from '../plumbing/tree-ish.js';
import type { VersionedContainer } from '../store/containers.js';
import { listRepositories } from '../store/store.js';

/** @throws LxcvError `container-not-found`, `not-versioned`, `container-edited`, `interrupted`. */
export async function status(context: Context, name: ContainerName): Promise<Status> {
  const container = requireVersioned(context, name);
  const { host, lxcpath } = context;
  const state = await host.lxc.state(lxcpath, name, { abort: host.signals.abort });
  host.signals.check();
  if (state === 'unknown') {
    const { message, hint } = monitorSilent(lxcpath, name);
    context.report({ kind: 'notice', message: `${message}. ${hint}` });
  }
  return await statusOf(context, readToShow(context, container.versioned.repository), container, state);
}

/** Each container by itself: what is wrong with one does not keep the others from being shown. */
export async function statusOfAll(context: Context): Promise<Statuses> {
  const { host, lxcpath } = context;
  const states = await host.lxc.states(lxcpath, { abort: host.signals.abort });
  const { found, troubles } = await surveyRepositories(context, listRepositories(host, lxcpath), {
    container: async (reading, repository, container) =>
      statusOf(reading, repository, container, await states(container.name)),
  });
  return {
    containers: [...found].sort((a, b) => (a.container < b.container ? -1 : 1)),
    troubles: [...troubles, ...silentMonitors(context, found, ({ container }) => container)],
  };
}

async function statusOf(
  context: Context,
  repository: Repository,
  container: VersionedContainer,
  state: ContainerState,
): Promise<Status> {
  checkUnedited(container);
  const { name, versioned } = container;
  reportChangedBases(context, versioned.working.bases);
  const head = headIdOf(context, repository, versioned);
  const version = head === undefined ? null : repository.history.get(head);
  const before = layersBefore(repository, head);
  const after = layersToRead(context, versioned);
  const changes = await compareTrees(context, before, after, {
    what: `looking for what changed in ${name}`,
    listings: version === null ? new Map() : listingsOf({ repository, version }),
    detail: 'names',
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
    packages: await foldPackages(context, ...trees, changes),
  };
}
