/** Directories below directories, until a path has more bytes than the kernel takes in one call. */

import { execFileSync } from 'node:child_process';

/** Sixteen of these make a path longer than PATH_MAX. */
export const LONG_NAME = 'n'.repeat(250);

/** Makes `depth` directories, each in the one before, and runs a script of sh(1) in the last. */
export function digDeep(root: string, depth: number, script: string): void {
  const dig = `i=0; while [ $i -lt ${depth} ]; do mkdir -p ${LONG_NAME} && cd -P ${LONG_NAME} || exit; i=$((i+1)); done`;
  execFileSync('bash', ['-c', `${dig}; ${script}`], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
}
