/** Visits all repositories of a store. What is wrong with one is reported, and the others are visited all the same. */

import { monitorSilent } from '../host/monitor.js';
import type { ContainerState } from '../model/container-state.js';
import type { Trouble } from '../model/results.js';
import type { ContainerName, RepositoryName } from '../model/version.js';
import type { IncludeCache, VersionedContainer } from '../store/containers.js';
import { storeRoot } from '../store/layout.js';
import { listMisplaced, type OpenRepository } from '../store/store.js';
import { toldUnfinished } from '../store/unfinished.js';
import type { Context } from './context.js';
import { isConfined, openForReading, type Repository, readRepository, readUsers } from './lookup.js';
import { onMissing } from './missing.js';
import { retryUntilStable } from './retry-until-stable.js';

/** What is asked of each repository. */
interface Visit<T> {
  /** Asked of each of its containers. */
  readonly container: (context: Context, repository: Repository, container: VersionedContainer) => Promise<T>;
  /** Asked of one on which no container stands; left out, that is passed over. */
  readonly unused?: ((repository: Repository) => readonly T[]) | undefined;
}

/**
 * Visits each of the repositories that `listRepositories` found, as one reading found it, with its containers. Where an operation comes
 * between, that repository alone is read again. What is wrong with one container is reported, and the others are visited all the same.
 */
export async function surveyRepositories<T>(
  context: Context,
  names: readonly RepositoryName[],
  visit: Visit<T>,
): Promise<Surveyed<T>> {
  const includes: IncludeCache = new Map();
  const found: T[] = [];
  const troubles: Trouble[] = [];
  const known = new Set<ContainerName>();
  const store = storeRoot(context.host.files, context.lxcpath);
  for (const name of [...names, ...listMisplaced(context.host, context.lxcpath)]) {
    try {
      const part = await retryUntilStable(
        { ...context, store },
        async (reading) => {
          const open = openForReading(reading, name);
          if (open === undefined) return { found: [], troubles: [] };
          const repository = readRepository(reading, open.layout);
          const { containers, unreadable } = readUsers(reading, open.layout, includes);
          for (const each of containers) known.add(each.name);
          for (const each of unreadable) known.add(each.container);
          const { unused } = unreadable.length > 0 ? {} : visit;
          const visited = await visitAll(reading, repository, containers, { ...visit, unused });
          const refs = [...repository.unreadable.values()].map(
            (error): Trouble => ({ repository: name, container: null, error }),
          );
          const records = unreadable.map((trouble): Trouble => ({ repository: name, ...trouble }));
          return { found: visited.found, troubles: [...waiting(open), ...refs, ...records, ...visited.troubles] };
        },
        'ignored',
      );
      found.push(...part.found);
      troubles.push(...part.troubles);
    } catch (error) {
      if (!isConfined(error)) throw error;
      troubles.push({ repository: name, container: null, error });
    }
  }
  for (const { container, repository, error } of onMissing(context, known, includes)) {
    troubles.push({ repository: repository.name, container, error });
  }
  return { found, troubles };
}

export interface Surveyed<T> {
  readonly found: readonly T[];
  readonly troubles: readonly Trouble[];
}

/** What there is to tell of those containers whose state is unknown. */
export function silentMonitors<T extends { readonly repository: RepositoryName; readonly state: ContainerState }>(
  { lxcpath }: Context,
  containers: readonly T[],
  nameOf: (container: T) => ContainerName,
): Trouble[] {
  return containers
    .filter(({ state }) => state === 'unknown')
    .map((each) => {
      const container = nameOf(each);
      return { repository: each.repository, container, error: monitorSilent(lxcpath, container) };
    });
}

async function visitAll<T>(
  context: Context,
  repository: Repository,
  containers: readonly VersionedContainer[],
  { container: visit, unused }: Visit<T>,
): Promise<Surveyed<T>> {
  if (containers.length === 0) return { found: unused?.(repository) ?? [], troubles: [] };
  const found: T[] = [];
  const troubles: Trouble[] = [];
  for (const container of containers) {
    context.host.signals.check();
    try {
      found.push(await visit(context, repository, container));
    } catch (error) {
      if (!isConfined(error)) throw error;
      troubles.push({ repository: repository.name, container: container.name, error });
    }
  }
  return { found, troubles };
}

function waiting({ layout, unfinished }: OpenRepository): Trouble[] {
  if (unfinished === undefined) return [];
  return [{ repository: layout.name, container: null, error: toldUnfinished(layout, unfinished) }];
}
