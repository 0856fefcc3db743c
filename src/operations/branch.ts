/** branch: lists, creates, renames and deletes branches. */

import { LxcvError } from '../model/errors.js';
import { ancestors } from '../model/graph.js';
import type { Branch, Branches } from '../model/results.js';
import type { BranchName, ContainerName, TagName, VersionId } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { type FoundRevision, findRevision, refuseIdPrefix } from '../plumbing/find-revision.js';
import {
  checkReadable,
  containersOf,
  findByName,
  type Repository,
  readRepository,
  refsAt,
} from '../plumbing/lookup.js';
import { changeRef } from '../plumbing/ref-change.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';
import { suggest } from '../plumbing/suggestion.js';
import type { Step } from '../store/steps.js';
import { lockRepository } from '../store/store.js';
import { encodeWorking } from '../store/working.js';
import { userOf } from './checkout-branch.js';

export function listBranches(context: Context, name: ContainerName): Branches {
  const { repository, container } = findByName(context, name);
  return { ...branchesOf(context, repository), current: container?.versioned.working.branch ?? null };
}

/**
 * @param revision `NAME[@REV]`: where it begins, in the repository of `name`.
 * @throws LxcvError `branch-exists`, `bad-usage`.
 */
export async function createBranch(
  context: Context,
  name: ContainerName,
  branch: BranchName,
  revision: string,
): Promise<Branch> {
  const { version, repository: found } = await findOwn(context, name, revision);
  using layout = await lockRepository(context.host, context.lxcpath, found.name, `branch ${branch}`);
  const repository = readRepository(context, layout);
  refuseTaken(repository, branch);
  await changeRef(context, repository, {
    command: 'branch',
    subject: branch,
    path: layout.branch(branch),
    stage: (staged) => context.host.files.create(staged, `${version.id}\n`, 0o600),
    point: (staged) => ({ from: staged, to: layout.branch(branch) }),
  });
  return { name: branch, version, refs: refsAt(readRepository(context, layout), version.id), containers: [] };
}

/** @throws LxcvError `branch-not-found`, `branch-exists`. */
export async function renameBranch(
  context: Context,
  name: ContainerName,
  from: BranchName,
  to: BranchName,
): Promise<Branch> {
  const { repository: found } = await retryUntilStable(context, (reading) => findByName(reading, name), 'ignored');
  using layout = await lockRepository(context.host, context.lxcpath, found.name, `branch ${from}`);
  const repository = readRepository(context, layout);
  const id = requireBranch(repository, from);
  refuseTaken(repository, to);
  const { files } = context.host;
  const users = containersOf(context, repository.name).filter(({ versioned }) => versioned.working.branch === from);
  const records = users.map(({ versioned }) => ({
    staged: versioned.layout.stagedWorking,
    to: versioned.layout.working,
    content: encodeWorking({ ...versioned.working, branch: to }),
  }));
  await changeRef(context, repository, {
    command: 'branch',
    subject: from,
    path: layout.branch(from),
    stage: () => {
      for (const { staged, content } of records) files.create(staged, content, 0o600);
    },
    point: () => ({ from: layout.branch(from), to: layout.branch(to) }),
    forward: records.map((record): Step => ({ do: 'rename', from: record.staged, to: record.to })),
    back: records.map((record): Step => ({ do: 'unlink', path: record.staged })),
  });
  const containers = users.map((user) => user.name);
  const refs = refsAt(readRepository(context, layout), id);
  return { name: to, version: repository.history.get(id), refs, containers };
}

/**
 * @param force also where it alone leads to some versions.
 * @throws LxcvError `branch-not-found`, `branch-in-use`, `branch-not-merged`.
 */
export async function deleteBranch(
  context: Context,
  name: ContainerName,
  branch: BranchName,
  force: boolean,
): Promise<Branch> {
  const { repository: found } = await retryUntilStable(context, (reading) => findByName(reading, name), 'ignored');
  using layout = await lockRepository(context.host, context.lxcpath, found.name, `branch ${branch}`);
  const repository = readRepository(context, layout);
  const id = requireBranch(repository, branch);
  const user = userOf(context, repository, branch);
  if (user !== undefined) throw inUse(branch, user);
  if (!force) refuseUnmerged(context, repository, branch, id);
  await changeRef(context, repository, {
    command: 'branch',
    subject: branch,
    path: layout.branch(branch),
    point: (staged) => ({ from: layout.branch(branch), to: staged }),
  });
  const refs = refsAt(readRepository(context, layout), id);
  return { name: branch, version: repository.history.get(id), refs, containers: [] };
}

/** The version that a branch or tag of the repository of `name` is to name. @throws LxcvError `bad-usage` for one of another repository. */
export async function findOwn(context: Context, name: ContainerName, revision: string): Promise<FoundRevision> {
  const find = (reading: Context) => {
    const found = findRevision(reading, revision);
    if (findByName(reading, name).repository.name === found.repository.name) return found;
    throw new LxcvError(
      'bad-usage',
      `${revision} is a version of the repository ${found.repository.name}, and not of that of ${name}`,
      'A branch or tag is of a version of its own repository.',
    );
  };
  return await retryUntilStable(context, find, 'ignored');
}

function branchesOf(context: Context, repository: Repository): Omit<Branches, 'current'> {
  const users = containersOf(context, repository.name);
  const branches = [...repository.branches].map(([name, id]) => ({
    name,
    version: repository.history.get(id),
    refs: refsAt(repository, id),
    containers: users.filter(({ versioned }) => versioned.working.branch === name).map((user) => user.name),
  }));
  return { repository: repository.name, branches };
}

function requireBranch(repository: Repository, branch: BranchName): VersionId {
  checkReadable(repository, branch);
  const id = repository.branches.get(branch);
  if (id !== undefined) return id;
  const { hint, data } = suggest(
    branch,
    repository.branches.keys(),
    `lxcv branch ${repository.name} lists its branches.`,
    {
      branch,
    },
  );
  throw new LxcvError('branch-not-found', `${repository.name} has no branch ${branch}`, hint, { data });
}

function refuseTaken(repository: Repository, branch: BranchName): void {
  checkReadable(repository, branch);
  const tag = repository.tags.get(branch as string as TagName);
  if (tag !== undefined) {
    throw new LxcvError(
      'tag-exists',
      `there is a tag ${branch}, on @${repository.history.get(tag.version).number}: a revision would not know which is meant`,
      'Choose another name.',
    );
  }
  refuseIdPrefix(repository.history, 'branch', branch);
  const id = repository.branches.get(branch);
  if (id === undefined) return;
  throw new LxcvError(
    'branch-exists',
    `there is a branch ${branch} already, at @${repository.history.get(id).number}`,
    'Choose another name, or delete or rename that one first.',
  );
}

function inUse(branch: BranchName, user: ContainerName): LxcvError {
  return new LxcvError(
    'branch-in-use',
    `the container ${user} is on the branch ${branch}`,
    `Check another one out there first, or rename the branch.`,
  );
}

/** Refuses where versions would be left that no other branch, no tag and no container leads to. */
function refuseUnmerged(context: Context, repository: Repository, branch: BranchName, id: VersionId): void {
  const others = [...repository.branches].flatMap(([name, tip]) => (name === branch ? [] : [tip]));
  const heads = containersOf(context, repository.name).flatMap(({ versioned }) => versioned.working.parents);
  const tagged = [...repository.tags.values()].map((tag) => tag.version);
  const reached = ancestors([...others, ...tagged, ...heads], repository.history.parentsOf);
  if (reached.has(id)) return;
  throw new LxcvError(
    'branch-not-merged',
    `no other branch, no tag and no container leads to @${repository.history.get(id).number}, the newest version of ${branch}`,
    `To delete it all the same: lxcv branch ${repository.name} -D ${branch}. Its versions stay.`,
  );
}
