/** What --restart came to: an operation that is done, and a container that may not run. */

import type { Engine } from '../engine.js';
import { EXIT_CODES } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';

/** For JSON: `{notStarted}`, the reason, where a container was stopped and could not be started again. The command ends with 1 then. */
export async function restartOutcome(
  engine: Engine,
  container: ContainerName,
  restart: boolean,
): Promise<{ readonly notStarted?: string }> {
  if (!restart) return {};
  const found = (await engine.notStarted()).find(({ name }) => name === container);
  if (found === undefined) return {};
  process.exitCode = EXIT_CODES.failed;
  return { notStarted: found.reason };
}
