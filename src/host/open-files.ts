/** How many files this process may have open, and how to have more. */

import { readFileSync } from 'node:fs';

/** What is proposed at least. */
const ENOUGH = 65_536;
const CAP_SYS_RESOURCE = 24n;

/** The hard limit: Node raises the other one to it. */
export function openFilesMax(): number {
  return Number(/^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
}

/**
 * What raises the limit fourfold: a line to be pasted, for a shell and what it starts, where root may do that (capabilities(7)). Not every
 * shell's `ulimit` raises the hard one.
 * @param max as it is now. @param kernelMax which no limit goes above, without being raised too.
 */
export function raiseOpenFiles(
  max = openFilesMax(),
  kernelMax = Number(readFileSync('/proc/sys/fs/nr_open', 'latin1')),
  mayRaise = hasCapability(CAP_SYS_RESOURCE),
): string {
  const wanted = Math.max(ENOUGH, 4 * max);
  if (!mayRaise) return `from outside (LimitNOFILE=${wanted} of a unit), for root has no CAP_SYS_RESOURCE here`;
  const allow = wanted > kernelMax ? `sysctl fs.nr_open=${wanted} && ` : '';
  return `${allow}prlimit --pid $$ --nofile=${wanted}`;
}

function hasCapability(capability: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> capability) & 1n) === 1n;
}
