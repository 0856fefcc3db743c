/** Hands the arguments to oclif, and ends as documented whatever happens. */

import { flush } from '@oclif/core/flush';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { exitCodeOf, formatFailure, toFailure } from './failure.js';

/** @param root a file of the package: oclif looks upwards from there. */
export async function runCommand(args: readonly string[], root: string): Promise<void> {
  // Under some values of NODE_ENV oclif would look for TypeScript to run the sources with.
  settings.enableAutoTranspile = false;
  try {
    await run(commandFirst(args), root);
    await flush();
  } catch (error) {
    if (isExit(error)) {
      process.exitCode = error.oclif.exit;
    } else {
      const failure = toFailure(error);
      process.exitCode = exitCodeOf(failure);
      if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ error: failure }, null, 2)}\n`);
      else process.stderr.write(formatFailure(failure));
    }
  }
}

/** Lets the flags of all commands stand before the command, as git's do: oclif wants them behind it. */
function commandFirst(args: readonly string[]): string[] {
  const flag = /^(-P|--lxcpath|--json|-P.+|--lxcpath=.*)$/;
  let count = 0;
  while (flag.test(args[count] ?? '')) count += args[count] === '-P' || args[count] === '--lxcpath' ? 2 : 1;
  const [command, ...rest] = args.slice(count);
  return command === undefined ? [] : [command, ...args.slice(0, count), ...rest];
}

/** oclif ends help and version with an error that only carries an exit code. */
function isExit(error: unknown): error is { code: 'EEXIT'; oclif: { exit: number } } {
  return (error as { code?: unknown } | null)?.code === 'EEXIT';
}
