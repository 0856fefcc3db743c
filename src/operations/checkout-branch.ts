/** Which branch a checkout puts a container on. */

import { LxcvError } from '../model/errors.js';
import { isRevisionWord } from '../model/names.js';
import type { BranchName, ContainerName, Version } from '../model/version.js';
import { freeBranchName } from '../plumbing/branch-names.js';
import type { Context } from '../plumbing/context.js';
import { type FoundRevision, isIdPrefix, refuseIdPrefix } from '../plumbing/find-revision.js';
import { checkReadable, containersOf, type Repository } from '../plumbing/lookup.js';
import type { CheckoutRequest } from './checkout-request.js';

/**
 * The branch that is asked for or, by default, one of the new container's own: of its name, or of its name and the version's
 * number where a branch of its name is elsewhere.
 * @throws LxcvError `branch-exists`, `branch-in-use`.
 */
export function branchOfNew(
  context: Context,
  request: CheckoutRequest,
  repository: Repository,
  version: Version,
  container: ContainerName,
): BranchName | null {
  if (request.detach) return null;
  if (request.branch !== undefined) return takeBranch(context, request, repository, request.branch, version, container);
  const own = container as string as BranchName;
  // No revision could name a branch that is called like a number or HEAD, and none is to hide an id.
  if (isRevisionWord(own) || isIdPrefix(repository.history, own))
    return freeBranchName(repository, `${container}-v${version.number}`);
  const tip = repository.branches.get(own);
  const isFree = tip === undefined && !repository.unreadable.has(own);
  if (isFree || (tip === version.id && userOf(context, repository, own, container) === undefined)) return own;
  return freeBranchName(repository, `${container}-v${version.number}`);
}

/**
 * The branch that is asked for, or that the revision names, or the current one where the version is its newest; else none.
 * @throws LxcvError `branch-exists`, `branch-in-use`.
 */
export function branchInPlace(
  context: Context,
  request: CheckoutRequest,
  repository: Repository,
  { revision, version }: FoundRevision,
  container: ContainerName,
  present: BranchName | null,
): BranchName | null {
  if (request.detach) return null;
  if (request.branch !== undefined) return takeBranch(context, request, repository, request.branch, version, container);
  const { start, steps } = revision.point;
  const named = start.kind === 'name' && steps.length === 0 ? (start.text as BranchName) : undefined;
  if (named !== undefined && repository.branches.has(named))
    return takeBranch(context, request, repository, named, version, container);
  return present !== null && repository.branches.get(present) === version.id ? present : null;
}

/** The name of the container, other than `except`, that is on a branch. */
export function userOf(
  context: Context,
  repository: Repository,
  branch: BranchName,
  except?: ContainerName,
): ContainerName | undefined {
  const users = containersOf(context, repository.name).filter(({ versioned }) => versioned.working.branch === branch);
  return users.find(({ name }) => name !== except)?.name;
}

function takeBranch(
  context: Context,
  { revision, container: made }: CheckoutRequest,
  repository: Repository,
  branch: BranchName,
  version: Version,
  container: ContainerName,
): BranchName {
  checkReadable(repository, branch);
  const tip = repository.branches.get(branch);
  if (tip === undefined) {
    refuseIdPrefix(repository.history, 'branch', branch);
    return branch;
  }
  const names = made === undefined ? [] : [made];
  if (tip !== version.id) {
    throw new LxcvError(
      'branch-exists',
      `there is a branch ${branch} already, at @${repository.history.get(tip).number} and not at @${version.number}`,
      `Choose another name for the branch, or check out that one: lxcv checkout ${[`${made === undefined ? container : repository.name}@${branch}`, ...names].join(' ')}`,
    );
  }
  const user = userOf(context, repository, branch, container);
  if (user === undefined) return branch;
  const line = ['lxcv checkout', revision, ...names].join(' ');
  throw new LxcvError(
    'branch-in-use',
    `the container ${user} is on the branch ${branch}`,
    `Begin one of its own: ${line} --branch ${freeBranchName(repository, `${branch}-v${version.number}`)}; or do without: ${line} --detach`,
  );
}
