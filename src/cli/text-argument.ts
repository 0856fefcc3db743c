/** Arguments that must be text. */

import { hasOddBytes } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';

/** The argument. @param what it is: `the message`. @throws LxcvError `bad-usage` where it has bytes that are not UTF-8. */
export function requireText(argument: string, what: string, hint = CONVERT): string {
  if (!hasOddBytes(argument)) return argument;
  throw new LxcvError('bad-usage', `${what} is not UTF-8`, hint);
}

const CONVERT = 'Convert it: iconv -f latin1 -t utf8';
