/** What a command that goes through many things says of those that it could not tell of. */

import type { Trouble } from '../operations/survey.js';
import { exitCodeOf, formatFailure, toFailure } from './failure.js';
import { standardError } from './output.js';

/**
 * Tells each on standard error, and has the program end with the highest of their exit codes.
 * @returns what JSON says of them.
 */
export function tellTroubles(troubles: readonly Trouble[]) {
  return troubles.map(({ repository, container, error }) => {
    const failure = toFailure(error);
    const name = container ?? repository;
    const isNamed = failure.message.includes(name);
    standardError.write(formatFailure({ ...failure, message: `${isNamed ? '' : `${name}: `}${failure.message}` }));
    process.exitCode = Math.max(Number(process.exitCode ?? 0), exitCodeOf(failure));
    return { repository, container, error: failure };
  });
}
