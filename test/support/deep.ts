/** Directories below directories, until a path has more bytes than the kernel takes in one call. */

import { execFileSync } from 'node:child_process';

/** Sixteen of these make a path longer than PATH_MAX. */
export const LONG_NAME = 'n'.repeat(250);

/** Makes `depth` directories, each in the one before, and runs a script of sh(1) in the last. */
export function digDeep(root: string, depth: number, script: string): void {
  // A shell has the whole path in its environment, which can be longer than a program may be given.
  const dig = 'my ($name, $depth, @then) = @ARGV; for (1..$depth) { mkdir $name; chdir $name or die $! } exec @then';
  const words = ['-e', dig, LONG_NAME, `${depth}`, 'bash', '-c', script];
  execFileSync('perl', words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
}
