/** checkout: materialises a version, as a new container or in place of what a container holds. */

import { findPath } from '../layer/find-path.js';
import type { BytePath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import type { CheckoutOutcome } from '../model/results.js';
import type { BranchName, ContainerName, TagName } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { type FoundRevision, findRevision } from '../plumbing/find-revision.js';
import { checkMarker, layersOfVersion } from '../plumbing/layers.js';
import type { Repository } from '../plumbing/lookup.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';
import { readContainer } from '../store/containers.js';
import { switchInPlace } from './checkout-in-place.js';
import { checkoutNew } from './checkout-new.js';
import type { CheckoutRequest } from './checkout-request.js';

/**
 * @throws LxcvError `container-exists`, `container-running`, `branch-exists`, `branch-in-use`, `base-changed`, and those of
 * resolving a revision.
 */
export async function checkout(context: Context, request: CheckoutRequest): Promise<CheckoutOutcome> {
  const found = await retryUntilStable(context, (reading) => findRevision(reading, request.revision), 'ignored');
  const target = request.container ?? found.revision.name;
  const present = readContainer(context.host, context.lxcpath, target);
  if (present === undefined) {
    if (request.container !== undefined) refuseOtherMeaning(context, request, found, target);
    return await checkoutNew(context, request, found, target);
  }
  if (present.versioned === undefined) checkMarker(context, present);
  if (target !== found.revision.name || present.versioned === undefined) throw nameTaken(target);
  return await switchInPlace(context, request, found, target);
}

/** Users of git may mean NEW as a branch, a tag, a version, or a path of the version: that is refused, with both command lines that can be meant. */
function refuseOtherMeaning(
  context: Context,
  { revision: text, branch, detach }: CheckoutRequest,
  { repository, revision, version }: FoundRevision,
  target: ContainerName,
): void {
  const what = repository.branches.has(target as string as BranchName)
    ? 'branch'
    : repository.tags.has(target as string as TagName)
      ? 'tag'
      : namesVersion(repository, target)
        ? 'version'
        : undefined;
  if (what !== undefined && text === revision.name && target !== revision.name) {
    throw new LxcvError(
      'bad-usage',
      `${target} is a ${what} of ${text}, and no container`,
      `The ${what}: lxcv checkout ${text}@${target}; a new container of that name: lxcv checkout ${text}@HEAD ${target}`,
    );
  }
  if (branch !== undefined || detach) return;
  using path = findPath(context.host.files, layersOfVersion(repository.layout, version), target as string as BytePath);
  if (path === undefined) return;
  throw new LxcvError(
    'bad-usage',
    `/${target} is a path in ${text}, and lxcv checkout makes whole containers`,
    `To see it: lxcv show ${text}:/${target}; to copy it: lxcv mount ${text} /mnt; a new container of that name: lxcv checkout ${text} ${target} --branch ${target}`,
  );
}

/** By itself: HEAD, a number, or as much of an id as no other begins with. */
function namesVersion({ history }: Repository, text: string): boolean {
  if (text === 'HEAD') return true;
  if (/^\d+$/.test(text)) return history.findNumber(Number(text)) !== undefined;
  return text.length >= ID_PREFIX_MIN && history.findPrefix(text).length === 1;
}

const ID_PREFIX_MIN = 4;

function nameTaken(name: ContainerName): LxcvError {
  return new LxcvError(
    'container-exists',
    `there is a container ${name} already`,
    `Choose another name; or commit what it holds, for that goes with it, and remove it: lxc-destroy -n ${name}`,
  );
}
