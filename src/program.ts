/** The program: which commands there are. Each is loaded when it is asked for. */

import type { COMMAND_NAMES } from './cli/command-names.js';
import { standardError } from './cli/output.js';
import { runCommand } from './cli/run.js';
import { exactArguments } from './host/arguments.js';
import { endAsSignalled } from './host/signals.js';

export const COMMANDS = {
  blame: () => import('../commands/blame.js'),
  branch: () => import('../commands/branch.js'),
  checkout: () => import('../commands/checkout.js'),
  commit: () => import('../commands/commit.js'),
  diff: () => import('../commands/diff.js'),
  export: () => import('../commands/export.js'),
  fsck: () => import('../commands/fsck.js'),
  grep: () => import('../commands/grep.js'),
  list: () => import('../commands/list.js'),
  log: () => import('../commands/log.js'),
  mount: () => import('../commands/mount.js'),
  show: () => import('../commands/show.js'),
  status: () => import('../commands/status.js'),
  tag: () => import('../commands/tag.js'),
  umount: () => import('../commands/umount.js'),
} satisfies Record<(typeof COMMAND_NAMES)[number], unknown>;

/** Runs one command, and sets the exit code. @param root a file of the package, as a URL. */
export async function main(args: readonly string[], root: string): Promise<void> {
  await runCommand(exactArguments(args), COMMANDS, root);
  await standardError.written();
  endAsSignalled();
}
