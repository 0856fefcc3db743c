/** The arguments of this process, of which Node keeps no bytes that are not UTF-8. */

import { readFileSync } from 'node:fs';
import { decodeArgument } from '../model/byte-path.js';

/** What Node puts in place of such bytes. */
const REPLACEMENT = '\ufffd';

/** The last arguments of this process as `decodeArgument` has them. @param args the same as Node has them. */
export function exactArguments(args: readonly string[]): readonly string[] {
  if (!args.some((arg) => arg.includes(REPLACEMENT))) return args;
  const all = readFileSync('/proc/self/cmdline').toString('latin1').split('\0').slice(0, -1);
  const exact = all.slice(-args.length).map((arg) => Buffer.from(arg, 'latin1'));
  const isSame = args.every((arg, index) => exact[index]?.toString('utf8') === arg);
  return isSame ? exact.map(decodeArgument) : args;
}
