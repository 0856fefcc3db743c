/** For how long, as a person gives it. */

import { LxcvError } from './errors.js';

const SECONDS_MAX = 3600;

/**
 * Seconds, whole or with a fraction, in milliseconds.
 * @param what they are given for: `--max-pause`.
 * @throws LxcvError `bad-usage`.
 */
export function parseSeconds(what: string, text: string): number {
  const seconds = /^(\d+(\.\d*)?|\.\d+)$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= SECONDS_MAX) return seconds * 1000;
  throw new LxcvError(
    'bad-usage',
    `${JSON.stringify(text)} is no time for ${what}`,
    `Give seconds, as in ${what} 2.5: more than 0, and ${SECONDS_MAX} at the most.`,
  );
}
