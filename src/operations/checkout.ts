/** checkout: materialises a version, as a new container or in place of what a container holds. */

import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { readContainer } from '../store/containers.js';
import { switchInPlace } from './checkout-in-place.js';
import { checkoutNew } from './checkout-new.js';
import type { CheckoutOutcome, CheckoutRequest } from './checkout-request.js';
import { consistently } from './consistently.js';
import { checkMarker } from './layers.js';
import { findRevision } from './lookup.js';
import type { World } from './world.js';

/**
 * @throws LxcvError `container-exists`, `container-running`, `branch-exists`, `branch-in-use`, `base-changed`, and those of
 * looking a revision up.
 */
export async function checkout(world: World, request: CheckoutRequest): Promise<CheckoutOutcome> {
  const found = await consistently(world, (reading) => findRevision(reading, request.revision), 'untold');
  const target = request.container ?? found.revision.name;
  const present = readContainer(world.host, world.lxcpath, target);
  if (present === undefined) return await checkoutNew(world, request, found, target);
  if (present.versioned === undefined) checkMarker(world, present);
  if (target !== found.revision.name || present.versioned === undefined) throw nameTaken(target);
  return await switchInPlace(world, request, found, target);
}

function nameTaken(name: ContainerName): LxcvError {
  return new LxcvError(
    'container-exists',
    `there is a container ${name} already`,
    `Choose another name; or commit what it holds, for that goes with it, and remove it: lxc-destroy -n ${name}`,
  );
}
