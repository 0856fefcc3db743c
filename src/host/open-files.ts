/** How many files this process may have open, and how to have more. */

import { readFileSync } from 'node:fs';

/** What is proposed at least. */
const ENOUGH = 65_536;

/** The hard limit: Node raises the other one to it. */
export function openFilesMax(): number {
  return Number(/^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
}

/**
 * A line to be pasted that raises the limit fourfold, for a shell and what it starts; not every shell's `ulimit` raises the hard one.
 * @param max as it is now. @param kernelMax which no limit goes above, without being raised too.
 */
export function raiseOpenFiles(
  max = openFilesMax(),
  kernelMax = Number(readFileSync('/proc/sys/fs/nr_open', 'latin1')),
): string {
  const wanted = Math.max(ENOUGH, 4 * max);
  const allow = wanted > kernelMax ? `sysctl fs.nr_open=${wanted} && ` : '';
  return `${allow}prlimit --pid $$ --nofile=${wanted}`;
}
