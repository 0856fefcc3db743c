/** From what a user types to what it names: containers, repositories and versions, or a clear error. */

import { isSystemError } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import { ancestors } from '../model/graph.js';
import { parentsOfStaged } from '../model/manifest.js';
import { isRepositoryName, isVersionId } from '../model/names.js';
import { parseRevision, type Revision, rangeHint } from '../model/revision.js';
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
} from '../store/containers.js';
import { History } from '../store/history.js';
import { RepositoryLayout, storeRoot, type VersionLayout } from '../store/layout.js';
import { checkPathOwned } from '../store/ownership.js';
import { type Refs, readRefs } from '../store/refs.js';
import { type OpenRepository, openRepository, type SettledOperations } from '../store/store.js';
import { listStoreDirectory, readStoreFile } from '../store/store-file.js';
import { findDescribed } from './describe.js';
import { checkMarker } from './layers.js';
import { namesOf, suggest } from './suggestion.js';
import type { World } from './world.js';

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

/** Refs that cannot be read are among it as what was wrong with them. */
export function readRepository({ host: { files } }: World, layout: RepositoryLayout): Repository {
  return { layout, name: layout.name, history: History.read(files, layout), ...readRefs(files, layout) };
}

/** The same for who shows it: of refs that cannot be read it tells that they are left out. */
export function readToShow(world: World, layout: RepositoryLayout): Repository {
  const repository = readRepository(world, layout);
  for (const error of repository.unreadable.values()) tellLeftOut(world, error);
  return repository;
}

/**
 * HEAD of a container as far as it is there: while the commit that made it waits for its last steps, the version before that, or
 * none.
 */
export function headIdOf(
  { host: { files } }: World,
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

/** Of who has the lock, and so nothing that is pending. */
const NONE_SETTLED: SettledOperations = new Map();

/** Opens a repository for reading, under `consistently`, or for a look by who has its lock. */
export function openForReading(world: World, name: RepositoryName): OpenRepository | undefined {
  const { host, lxcpath, reading, hasStore } = world;
  const open = openRepository(host, lxcpath, name, reading?.settled ?? NONE_SETTLED, hasStore);
  reading?.opened(
    open ?? { layout: new RepositoryLayout(storeRoot(host.files, lxcpath), name), unfinished: undefined },
  );
  return open;
}

export function tellLeftOut(world: World, error: Error): void {
  world.report({ kind: 'notice', message: `left out: ${error.message}` });
}

/** @throws LxcvError `container-not-found`, `unsafe-owner`, or `store-damaged` where its working delta's record is gone or is another's. */
export function requireContainer(world: World, name: ContainerName): Container {
  const container = readContainer(world.host, world.lxcpath, name);
  if (container !== undefined) checkPathOwned(world.host.files, container.layout.config);
  if (container?.lost !== undefined) throw lostRecord(container, container.lost);
  if (container !== undefined) return container;
  const message = `there is no container ${name} in ${world.lxcpath}`;
  const names = listContainers(world.host, world.lxcpath);
  const { hint, data } = suggest(name, names, 'lxc-ls shows the containers; name another lxcpath with -P.', {
    container: name,
  });
  throw new LxcvError('container-not-found', message, hint, { data });
}

/** @throws LxcvError `container-not-found`, or `not-versioned` for a container that was never committed. */
export function requireVersioned(world: World, name: ContainerName): Container & { readonly versioned: Versioned } {
  const container = requireContainer(world, name);
  if (container.versioned === undefined) checkMarker(world, container);
  if (container.versioned === undefined) throw notVersioned(name);
  openForReading(world, container.versioned.repository.name);
  return requireContainer(world, name) as Container & { readonly versioned: Versioned };
}

/**
 * What NAME stands for: a container's repository or, failing that, the repository of that name.
 * @throws LxcvError `not-versioned`, `repository-not-found`.
 */
export function findByName(world: World, name: ContainerName): Found {
  const container = readContainer(world.host, world.lxcpath, name);
  const repositoryName = container?.versioned?.repository.name ?? (name as string as RepositoryName);
  const open = openForReading(world, repositoryName);
  const repository = open && readToShow(world, open.layout);
  const hasHead = container?.versioned !== undefined && container.versioned.working.parents.length > 0;
  if (repository !== undefined && (hasHead || repository.history.size > 0)) {
    // Opening the repository may have finished an operation on the container.
    const now = readContainer(world.host, world.lxcpath, name);
    if (now?.versioned === undefined) return { repository, container: undefined, head: undefined };
    const { versioned } = now;
    return { repository, container: { ...now, versioned }, head: headIdOf(world, repository, versioned) };
  }
  if (container !== undefined) {
    checkMarker(world, container);
    throw notVersioned(name);
  }
  const message = `there is no container and no repository ${name}`;
  const { hint, data } = suggest(name, namesOf(world), 'lxcv list shows what there is; name another lxcpath with -P.', {
    repository: name,
  });
  throw new LxcvError('repository-not-found', message, hint, { data });
}

export interface FoundRevision extends Found {
  readonly revision: Revision;
  readonly version: Version;
}

/** Resolves `NAME[@REV]`. @throws LxcvError `bad-revision`, `revision-not-found` and those of `findByName`. */
export function findRevision(
  world: World,
  text: string,
): Found & { readonly version: Version; readonly revision: Revision } {
  const revision = parseRevision(text);
  const found = findByName(world, revision.name);
  return { ...found, revision, version: resolveRevision(found, revision) };
}

/** HEAD: of a container, the parent of its working delta; of a repository, the branch of its name, or its newest version. */
function headOf({ repository, container, head }: Found): Version | undefined {
  if (container !== undefined) return head === undefined ? undefined : repository.history.get(head);
  checkReadable(repository, repository.name as string as BranchName);
  const own = repository.branches.get(repository.name as string as BranchName);
  return own === undefined ? newest(repository.history) : repository.history.get(own);
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

export type VersionedContainer = Container & { readonly versioned: Versioned };

/** The containers whose working deltas stand on a repository. Those whose record cannot be read are told, and left out. */
export function containersOf(world: World, repository: RepositoryName): VersionedContainer[] {
  const { containers, unreadable } = readUsers(
    world,
    new RepositoryLayout(storeRoot(world.host.files, world.lxcpath), repository),
  );
  for (const { error } of unreadable) tellLeftOut(world, error);
  return containers;
}

export interface Users {
  readonly containers: readonly VersionedContainer[];
  /** The containers of which it cannot be told, or whose working delta has no record. */
  readonly unreadable: readonly { readonly container: ContainerName; readonly error: Error }[];
}

/**
 * The containers on a repository, in the order of their names. Each has its guard there (docs/decisions/0004-guard-layer.md), so
 * that no other container need be looked at.
 */
export function readUsers(
  world: World,
  repository: RepositoryLayout,
  includes?: IncludeCache,
): Users & { containers: VersionedContainer[] } {
  const containers: VersionedContainer[] = [];
  const unreadable: { container: ContainerName; error: Error }[] = [];
  const names = listStoreDirectory(world.host.files, repository.guards).filter(isRepositoryName).sort();
  for (const name of names as string[] as ContainerName[]) {
    try {
      const container = readContainer(world.host, world.lxcpath, name, includes, repository.storeRoot);
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

/** True for what is wrong with one thing, and no reason to tell nothing of others. */
export function isConfined(error: unknown): error is Error {
  return isSystemError(error) || (error instanceof LxcvError && error.code !== 'interrupted');
}

/** @throws LxcvError `revision-not-found`, `bad-revision` for what is looked at, and is no version. */
export function resolveRevision(found: Found, { point, text }: Revision): Version {
  let version = resolveStart(found, point.start, text);
  for (const step of point.steps) {
    const next =
      step.kind === 'ancestor' ? stepBack(found, version, step.count) : nthParent(found, version, step.index);
    if (next === undefined) throw notFound(found, text, `version @${version.number} has no such ancestor`);
    version = next;
  }
  return version;
}

/**
 * In this order: HEAD, a number, a whole id, a branch, a tag, a prefix that only one id has, a name that `describe` gives. No branch
 * and no tag hides an id.
 */
function resolveStart(found: Found, start: string, text: string): Version {
  const { history, branches, tags, name } = found.repository;
  if (start === 'HEAD') {
    const head = headOf(found);
    if (head === undefined) throw notFound(found, text, 'nothing was committed on it yet');
    return head;
  }
  if (start === 'WORK' || start === 'BASE') {
    throw new LxcvError(
      'bad-revision',
      `${text} names no version`,
      'It can be looked at alone: by diff, show and grep. Commit what a container holds to make a version of it.',
    );
  }
  if (/^\d+$/.test(start)) {
    const version = history.findNumber(Number(start));
    if (version === undefined) throw notFound(found, text, `${name} has the versions 0 to ${history.nextNumber - 1}`);
    return version;
  }
  if (isVersionId(start) && history.has(start)) return history.get(start);
  checkReadable(found.repository, start as RefName);
  const branch = isRepositoryName(start) ? branches.get(start as string as BranchName) : undefined;
  if (branch !== undefined) return history.get(branch);
  const tag = isRepositoryName(start) ? tags.get(start as string as TagName) : undefined;
  if (tag !== undefined) return history.get(tag.version);
  const [id, other] = history.findPrefix(start);
  if (other !== undefined) throw notFound(found, text, `more than one version's id begins with ${start}`);
  if (id !== undefined) return history.get(id);
  const described = findDescribed(found.repository, start);
  if (described.length > 0) return history.get(chooseDescribed(found, described, text));
  throw notFound(found, text, `${name} has no branch, tag or version ${start}`, start);
}

/** Of several versions of one name the one that led to HEAD: so `list` and `status` of a container call it. */
function chooseDescribed(found: Found, ids: readonly VersionId[], text: string): VersionId {
  const { history } = found.repository;
  const head = headOf(found);
  const own =
    ids.length === 1 || head === undefined ? ids : ids.filter(isAmong(ancestors([head.id], history.parentsOf)));
  const [id] = own;
  if (id !== undefined && own.length === 1) return id;
  const numbers = ids.map((each) => `@${history.numberOf(each)}`).join(', ');
  throw notFound(found, text, `more than one version is called so: ${numbers}`);
}

function isAmong(ids: ReadonlySet<VersionId>): (id: VersionId) => boolean {
  return (id) => ids.has(id);
}

function stepBack(found: Found, version: Version, count: number): Version | undefined {
  const { history } = found.repository;
  let id: VersionId | undefined = version.id;
  for (let step = 0; step < count && id !== undefined; step += 1) [id] = history.parentsOf(id);
  return id === undefined ? undefined : history.get(id);
}

function nthParent({ repository }: Found, version: Version, index: number): Version | undefined {
  if (index === 0) return version;
  const parent = version.parents[index - 1];
  return parent === undefined ? undefined : repository.history.get(parent.id);
}

function newest(history: History): Version | undefined {
  return history.findNumber(history.nextNumber - 1);
}

/** @param start where the revision begins, where it was that which is not there. */
function notFound(found: Found, text: string, why: string, start?: string): LxcvError {
  const { name, branches, tags } = found.repository;
  const data = { revision: text };
  const shows = rangeHint(text) ?? `lxcv log --all ${found.container?.name ?? name} shows the versions.`;
  const suggested =
    start === undefined ? { hint: shows, data } : suggest(start, [...branches.keys(), ...tags.keys()], shows, data);
  return new LxcvError('revision-not-found', `${text} names no version: ${why}`, suggested.hint, {
    data: suggested.data,
  });
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
