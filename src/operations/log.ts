/** log: the versions that led to a version, newest first. */

import { ancestors, newestFirst } from '../model/graph.js';
import type { BranchName, ContainerName, RepositoryName, TagName, Version, VersionId } from '../model/version.js';
import { branchesAt, containersOf, findRevision, type Repository, tagsAt } from './lookup.js';
import type { World } from './world.js';

export interface LogRequest {
  /** `NAME[@REV]`: where to begin. */
  readonly revision: string;
  /** All versions of the repository, whatever branch they are on. */
  readonly all: boolean;
  readonly limit?: number;
}

export interface Log {
  readonly repository: RepositoryName;
  /** No version stands before a child of it. */
  readonly entries: readonly LogEntry[];
}

interface LogEntry {
  readonly version: Version;
  /** The branches whose newest version it is. */
  readonly branches: readonly BranchName[];
  /** The tags that are on it. */
  readonly tags: readonly TagName[];
  /** The containers whose HEAD it is, each with the branch it is on, or null. */
  readonly heads: readonly { readonly container: ContainerName; readonly branch: BranchName | null }[];
}

export function log(world: World, { revision, all, limit }: LogRequest): Log {
  const { repository, version } = findRevision(world, revision);
  const { history } = repository;
  const ids = all
    ? new Set([...history.versions()].map(({ id }) => id))
    : ancestors([version.id], (id) => history.parentsOf(id));
  const ordered = newestFirst(ids, history.parentsOf, (id) => history.get(id).number).slice(0, limit);
  return { repository: repository.name, entries: describe(world, repository, ordered) };
}

function describe(world: World, repository: Repository, ids: readonly VersionId[]): LogEntry[] {
  const users = containersOf(world, repository.name).map(({ name, versioned: { working } }) => ({ name, working }));
  return ids.map((id) => ({
    version: repository.history.get(id),
    branches: branchesAt(repository, id),
    tags: tagsAt(repository, id),
    heads: users
      .filter(({ working }) => working.parents[0] === id)
      .map(({ name, working }) => ({ container: name, branch: working.branch })),
  }));
}
