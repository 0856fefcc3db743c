/** Names for branches that lxcv begins by itself. */

import type { BranchName, ContainerName, VersionId } from '../model/version.js';
import { checkReadable, type Repository } from './lookup.js';

/** The branch that a commit goes to: the one the container is on or, detached, a new one, so that a branch keeps every version. */
export function branchForCommit(
  repository: Repository,
  container: ContainerName,
  branch: BranchName | null,
  head: VersionId | undefined,
): BranchName {
  if (branch === null) {
    const own = head === undefined ? container : `${container}-v${repository.history.get(head).number}`;
    return freeBranchName(repository, own);
  }
  checkReadable(repository, branch);
  return branch;
}

/** A longer name is cut: see model/names.ts. */
const BRANCH_NAME_MAX = 255;

/** The name, or the first of NAME-2, NAME-3, ... that no branch has. */
export function freeBranchName({ branches, unreadable }: Repository, name: string): BranchName {
  const candidate = (count: number) => {
    const end = count === 1 ? '' : `-${count}`;
    return `${name.slice(0, BRANCH_NAME_MAX - end.length)}${end}` as BranchName;
  };
  let count = 1;
  while (branches.has(candidate(count)) || unreadable.has(candidate(count))) count += 1;
  return candidate(count);
}
