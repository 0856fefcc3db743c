/** From the names that a user types to containers and repositories, or a clear error. */

import { isSystemError } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import { parentsOfStaged } from '../model/manifest.js';
import { isRepositoryName } from '../model/names.js';
import type {
  BranchName,
  ContainerName,
  RefName,
  RepositoryName,
  TagName,
  Version,
  VersionId,
} from '../model/version.js';
import {
  type Container,
  type IncludeCache,
  listContainers,
  readContainer,
  type Versioned,
  type VersionedContainer,
} from '../store/containers.js';
import { History } from '../store/history.js';
import { RepositoryLayout, storeRoot, type VersionLayout } from '../store/layout.js';
import { checkPathOwned } from '../store/ownership.js';
import { type Refs, readRefs } from '../store/refs.js';
import { type OpenRepository, openRepository, type RecoveredOperations } from '../store/store.js';
import { listStoreDirectory, readStoreFile } from '../store/store-file.js';
import type { Context } from './context.js';
import { checkMarker } from './layers.js';
import { namesOf, suggest } from './suggestion.js';

/** A repository's graph and refs, as one reading found them. */
export interface Repository extends Refs {
  readonly layout: RepositoryLayout;
  readonly name: RepositoryName;
  readonly history: History;
}

/** A repository, and the container by whose name it was found, if it was by one. */
export interface Found {
  readonly repository: Repository;
  readonly container: VersionedContainer | undefined;
  /** HEAD of the container: see `headIdOf`. */
  readonly head: VersionId | undefined;
}

/** `unreadable` has the errors of the refs that cannot be read. */
export function readRepository({ host: { files } }: Context, layout: RepositoryLayout): Repository {
  return { layout, name: layout.name, history: History.read(files, layout), ...readRefs(files, layout) };
}

/** The same for showing it: refs that cannot be read are reported as left out. */
export function readToShow(context: Context, layout: RepositoryLayout): Repository {
  const repository = readRepository(context, layout);
  for (const error of repository.unreadable.values()) reportLeftOut(context, error);
  return repository;
}

/**
 * HEAD of a container. While the commit that makes it waits for its last steps: the version before that, or none.
 */
export function headIdOf(
  { host: { files } }: Context,
  { history, layout }: Repository,
  { working }: Versioned,
): VersionId | undefined {
  const [head] = working.parents;
  if (head === undefined || history.has(head)) return head;
  const { stagedManifest } = layout.version(head);
  const staged = readStoreFile(files, stagedManifest);
  return staged === undefined ? head : parentsOfStaged(staged, stagedManifest)[0];
}

/** @throws what was wrong with a branch or tag of that name, where it could not be read. */
export function checkReadable({ unreadable }: Repository, name: RefName): void {
  const error = unreadable.get(name);
  if (error !== undefined) throw error;
}

/** Under the lock nothing is pending. */
const NONE_SETTLED: RecoveredOperations = new Map();

/** Opens a repository for reading, under `retryUntilStable` or under its lock. */
export function openForReading(context: Context, name: RepositoryName): OpenRepository | undefined {
  const { host, lxcpath, reading, store } = context;
  const open = openRepository(host, lxcpath, name, reading?.settled ?? NONE_SETTLED, store);
  reading?.opened(
    open ?? { layout: new RepositoryLayout(storeRoot(host.files, lxcpath), name), unfinished: undefined },
  );
  return open;
}

export function reportLeftOut(context: Context, error: Error): void {
  context.report({ kind: 'notice', message: `left out: ${error.message}` });
}

/** @throws LxcvError `container-not-found`, `unsafe-owner`, or `store-damaged` where its working delta's record is gone or is another's. */
export function requireContainer(context: Context, name: ContainerName): Container {
  const container = readContainer(context.host, context.lxcpath, name);
  if (container !== undefined) checkPathOwned(context.host.files, container.layout.config);
  if (container?.lost !== undefined) throw lostRecord(container, container.lost);
  if (container !== undefined) return container;
  const message = `there is no container ${name} in ${context.lxcpath}`;
  const names = listContainers(context.host, context.lxcpath);
  const { hint, data } = suggest(name, names, 'lxc-ls shows the containers; name another lxcpath with -P.', {
    container: name,
  });
  throw new LxcvError('container-not-found', message, hint, { data });
}

/** @throws LxcvError `container-not-found`, or `not-versioned` for a container that was never committed. */
export function requireVersioned(context: Context, name: ContainerName): VersionedContainer {
  const container = requireContainer(context, name);
  if (container.versioned === undefined) checkMarker(context, container);
  if (container.versioned === undefined) throw notVersioned(name);
  openForReading(context, container.versioned.repository.name);
  return requireContainer(context, name) as VersionedContainer;
}

/**
 * What NAME stands for: a container's repository or, failing that, the repository of that name.
 * @throws LxcvError `not-versioned`, `repository-not-found`.
 */
export function findByName(context: Context, name: ContainerName): Found {
  const container = readContainer(context.host, context.lxcpath, name);
  const repositoryName = container?.versioned?.repository.name ?? (name as string as RepositoryName);
  const open = openForReading(context, repositoryName);
  const repository = open && readToShow(context, open.layout);
  const hasHead = container?.versioned !== undefined && container.versioned.working.parents.length > 0;
  if (repository !== undefined && (hasHead || repository.history.size > 0)) {
    // Opening the repository may have finished an operation on the container.
    const now = readContainer(context.host, context.lxcpath, name);
    if (now?.versioned === undefined) return { repository, container: undefined, head: undefined };
    const { versioned } = now;
    return { repository, container: { ...now, versioned }, head: headIdOf(context, repository, versioned) };
  }
  if (container?.lost !== undefined) throw lostRecord(container, container.lost);
  if (container !== undefined) {
    checkMarker(context, container);
    throw notVersioned(name);
  }
  const message = `there is no container and no repository ${name}`;
  const { hint, data } = suggest(
    name,
    namesOf(context),
    'lxcv list shows what there is; name another lxcpath with -P.',
    {
      repository: name,
    },
  );
  throw new LxcvError('repository-not-found', message, hint, { data });
}

/** The branches whose newest version it is, in the order of their names. */
export function branchesAt({ branches }: Repository, id: VersionId | undefined): BranchName[] {
  return [...branches].flatMap(([name, tip]) => (tip === id ? [name] : []));
}

/** The tags that are on it, in the order of their names. */
export function tagsAt({ tags }: Repository, id: VersionId | undefined): TagName[] {
  return [...tags].flatMap(([name, tag]) => (tag.version === id ? [name] : []));
}

/** The names of all branches and tags that name it: branches first. */
export function refsAt(repository: Repository, id: VersionId | undefined): RefName[] {
  return [...branchesAt(repository, id), ...tagsAt(repository, id)];
}

/** A version, and the branches and tags that name it. */
export interface NamedVersion {
  readonly version: Version;
  readonly refs: readonly RefName[];
}

/** The containers whose working deltas stand on a repository. Those whose record cannot be read are reported, and left out. */
export function containersOf(context: Context, repository: RepositoryName): VersionedContainer[] {
  const { containers, unreadable } = readUsers(
    context,
    new RepositoryLayout(storeRoot(context.host.files, context.lxcpath), repository),
  );
  for (const { error } of unreadable) reportLeftOut(context, error);
  return containers;
}

export interface Users {
  readonly containers: readonly VersionedContainer[];
  /** The containers of which that is unknown, or whose working delta has no record. */
  readonly unreadable: readonly { readonly container: ContainerName; readonly error: Error }[];
}

/**
 * The containers on a repository, in the order of their names. Each has its guard there (docs/decisions/0004-guard-layer.md), so
 * that no other container need be read.
 */
export function readUsers(
  context: Context,
  repository: RepositoryLayout,
  includes?: IncludeCache,
): Users & { containers: VersionedContainer[] } {
  const containers: VersionedContainer[] = [];
  const unreadable: { container: ContainerName; error: Error }[] = [];
  const names = listStoreDirectory(context.host.files, repository.guards).filter(isRepositoryName).sort();
  for (const name of names as string[] as ContainerName[]) {
    try {
      const container = readContainer(context.host, context.lxcpath, name, includes, repository.storeRoot);
      if (container?.lost?.root.startsWith(`${repository.root}/`)) throw lostRecord(container, container.lost);
      const { versioned } = container ?? {};
      if (container !== undefined && versioned?.repository.name === repository.name)
        containers.push({ ...container, versioned });
    } catch (error) {
      if (!isConfined(error)) throw error;
      unreadable.push({ container: name, error });
    }
  }
  return { containers, unreadable };
}

/** True for an error of one repository or container, which says nothing about the others. */
export function isConfined(error: unknown): error is Error {
  return isSystemError(error) || (error instanceof LxcvError && error.code !== 'interrupted');
}

function lostRecord({ name, layout }: Container, version: VersionLayout): LxcvError {
  return new LxcvError(
    'store-damaged',
    `${layout.config} stands on ${version.delta}, which the store does not know as the working delta of ${name}`,
    `Restore ${version.working} from a backup; or, if the config was copied or renamed by hand, undo that.`,
  );
}

function notVersioned(name: ContainerName): LxcvError {
  return new LxcvError(
    'not-versioned',
    `the container ${name} has no versions yet`,
    `Make the first one: lxcv commit ${name}`,
  );
}
