/** branch: lists, creates, renames and deletes branches. */

import { LxcvError } from '../model/errors.js';
import { ancestors } from '../model/graph.js';
import { newId } from '../model/ids.js';
import type { BranchName, ContainerName, RepositoryName, Version, VersionId } from '../model/version.js';
import type { Step } from '../store/steps.js';
import { lockRepository } from '../store/store.js';
import { transact } from '../store/transaction.js';
import { encodeWorking } from '../store/working.js';
import { userOf } from './checkout-branch.js';
import { branchesAt, containersOf, findByName, findRevision, type Repository, readRepository } from './lookup.js';
import { checkSpace } from './space.js';
import type { World } from './world.js';

export interface Branch {
  readonly name: BranchName;
  readonly version: Version;
  /** The branches whose newest version that is, this one among them. */
  readonly branches: readonly BranchName[];
  /** The containers that are on it. */
  readonly containers: readonly ContainerName[];
}

export interface Branches {
  readonly repository: RepositoryName;
  readonly branches: readonly Branch[];
  /** The branch of the container by whose name they were asked for; null for a detached one, or for a repository. */
  readonly current: BranchName | null;
}

export function listBranches(world: World, name: ContainerName): Branches {
  const { repository, container } = findByName(world, name);
  return { ...describe(world, repository), current: container?.versioned.working.branch ?? null };
}

/**
 * @param revision `NAME[@REV]`: where it begins, in the repository of `name`.
 * @throws LxcvError `branch-exists`, `bad-usage`.
 */
export async function createBranch(
  world: World,
  name: ContainerName,
  branch: BranchName,
  revision: string,
): Promise<Branch> {
  const { version, repository: found } = findRevision(world, revision);
  if (findByName(world, name).repository.name !== found.name) throw elsewhere(name, revision, found.name);
  using layout = await lockRepository(world.host, world.lxcpath, found.name, `branch ${branch}`);
  const repository = readRepository(world, layout);
  refuseTaken(repository, branch);
  await changeRef(world, repository, branch, {
    stage: (staged) => world.host.files.create(staged, `${version.id}\n`, 0o600),
    point: (staged) => ({ from: staged, to: layout.branch(branch) }),
  });
  return { name: branch, version, branches: [...branchesAt(repository, version.id), branch].sort(), containers: [] };
}

/** @throws LxcvError `branch-not-found`, `branch-exists`. */
export async function renameBranch(
  world: World,
  name: ContainerName,
  from: BranchName,
  to: BranchName,
): Promise<Branch> {
  const { repository: found } = findByName(world, name);
  using layout = await lockRepository(world.host, world.lxcpath, found.name, `branch ${from}`);
  const repository = readRepository(world, layout);
  const id = requireBranch(repository, from);
  refuseTaken(repository, to);
  const { files } = world.host;
  const users = containersOf(world, repository.name).filter(({ versioned }) => versioned.working.branch === from);
  const records = users.map(({ versioned }) => ({
    staged: `${versioned.layout.root}/.working.staged`,
    to: versioned.layout.working,
    content: encodeWorking({ ...versioned.working, branch: to }),
  }));
  await changeRef(world, repository, from, {
    stage: () => {
      for (const { staged, content } of records) files.create(staged, content, 0o600);
    },
    point: () => ({ from: layout.branch(from), to: layout.branch(to) }),
    forward: records.map((record): Step => ({ do: 'rename', from: record.staged, to: record.to })),
    back: records.map((record): Step => ({ do: 'unlink', path: record.staged })),
  });
  const names = branchesAt(repository, id).map((branch) => (branch === from ? to : branch));
  const containers = users.map((user) => user.name);
  return { name: to, version: repository.history.get(id), branches: names.sort(), containers };
}

/**
 * @param force also where it alone leads to some versions.
 * @throws LxcvError `branch-not-found`, `branch-in-use`, `branch-not-merged`.
 */
export async function deleteBranch(
  world: World,
  name: ContainerName,
  branch: BranchName,
  force: boolean,
): Promise<Branch> {
  const { repository: found } = findByName(world, name);
  using layout = await lockRepository(world.host, world.lxcpath, found.name, `branch ${branch}`);
  const repository = readRepository(world, layout);
  const id = requireBranch(repository, branch);
  const user = userOf(world, repository, branch);
  if (user !== undefined) throw inUse(branch, user);
  if (!force) refuseUnmerged(world, repository, branch, id);
  await changeRef(world, repository, branch, {
    stage: () => {},
    point: (staged) => ({ from: layout.branch(branch), to: staged }),
    forward: [{ do: 'unlink', path: `${layout.branches}/.staged` }],
  });
  const branches = branchesAt(repository, id).filter((other) => other !== branch);
  return { name: branch, version: repository.history.get(id), branches, containers: [] };
}

/** A change of the refs, whose commit point is the rename of one of them. */
async function changeRef(
  world: World,
  { layout }: Repository,
  subject: BranchName,
  change: {
    readonly stage: (staged: string) => void;
    readonly point: (staged: string) => { from: string; to: string };
    readonly forward?: readonly Step[];
    readonly back?: readonly Step[];
  },
): Promise<void> {
  checkSpace(world, `the change of the branch ${subject}`);
  const staged = `${layout.branches}/.staged`;
  await transact(world.host, layout.operations, {
    operation: newId(world.host.randomBytes),
    time: world.host.now().toISOString(),
    command: 'branch',
    subject,
    point: change.point(staged),
    stage: () => change.stage(staged),
    forward: [...(change.forward ?? [])],
    back: [...(change.back ?? []), { do: 'unlink', path: staged }],
  });
}

function describe(world: World, repository: Repository): Omit<Branches, 'current'> {
  const users = containersOf(world, repository.name);
  const branches = [...repository.branches].map(([name, id]) => ({
    name,
    version: repository.history.get(id),
    branches: branchesAt(repository, id),
    containers: users.filter(({ versioned }) => versioned.working.branch === name).map((user) => user.name),
  }));
  return { repository: repository.name, branches };
}

function requireBranch(repository: Repository, branch: BranchName): VersionId {
  const id = repository.branches.get(branch);
  if (id !== undefined) return id;
  throw new LxcvError(
    'branch-not-found',
    `${repository.name} has no branch ${branch}`,
    `lxcv branch ${repository.name} lists its branches.`,
  );
}

function refuseTaken(repository: Repository, branch: BranchName): void {
  const id = repository.branches.get(branch);
  if (id === undefined) return;
  throw new LxcvError(
    'branch-exists',
    `there is a branch ${branch} already, at @${repository.history.get(id).number}`,
    'Choose another name, or delete or rename that one first.',
  );
}

function elsewhere(name: ContainerName, revision: string, repository: RepositoryName): LxcvError {
  return new LxcvError(
    'bad-usage',
    `${revision} is a version of the repository ${repository}, and not of that of ${name}`,
    'A branch begins at a version of its own repository.',
  );
}

function inUse(branch: BranchName, user: ContainerName): LxcvError {
  return new LxcvError(
    'branch-in-use',
    `the container ${user} is on the branch ${branch}`,
    `Check another one out there first, or rename the branch.`,
  );
}

/** Refuses where versions would be left that no other branch and no container leads to. */
function refuseUnmerged(world: World, repository: Repository, branch: BranchName, id: VersionId): void {
  const others = [...repository.branches].flatMap(([name, tip]) => (name === branch ? [] : [tip]));
  const heads = containersOf(world, repository.name).flatMap(({ versioned }) => versioned.working.parents);
  const reached = ancestors([...others, ...heads], repository.history.parentsOf);
  if (reached.has(id)) return;
  throw new LxcvError(
    'branch-not-merged',
    `no other branch and no container leads to @${repository.history.get(id).number}, the newest version of ${branch}`,
    'To delete it all the same: -D. Its versions stay until they are collected as garbage.',
  );
}
