/** What a command that goes through many things says of those that it could not tell of. */

import { EXIT_CODES } from '../model/errors.js';
import type { Trouble } from '../model/results.js';
import { showFailure, toFailure } from './failure.js';

/**
 * Tells each on standard error, and has the program end with the highest of their exit codes.
 * @param pastable makes a hint fit the command line that was given.
 * @returns what JSON says of them.
 */
export function tellTroubles(troubles: readonly Trouble[], pastable: (hint: string) => string) {
  return troubles.map(({ repository, container, error }) => {
    const told = toFailure(error);
    const failure = { ...told, hint: pastable(told.hint) };
    const name = container ?? repository;
    const isNamed = failure.message.includes(name);
    showFailure({ ...failure, message: `${isNamed ? '' : `${name}: `}${failure.message}` });
    process.exitCode = Math.max(Number(process.exitCode ?? 0), EXIT_CODES[failure.code]);
    return { repository, container, error: failure };
  });
}
