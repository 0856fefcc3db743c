#!/usr/bin/env node
/** The executable: hands the arguments to oclif, and ends as documented whatever happens. */

import { flush, run, settings } from '@oclif/core';
import { endAsSignalled } from '../host/signals.js';
import { exitCodeOf, formatFailure, toFailure } from './failure.js';

// Who reads may stop reading: `lxcv log mysql | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// Under some values of NODE_ENV oclif would look for TypeScript to run the sources with.
settings.enableAutoTranspile = false;

try {
  await run(commandFirst(process.argv.slice(2)), import.meta.url);
  await flush();
} catch (error) {
  if (isExit(error)) {
    process.exitCode = error.oclif.exit;
  } else {
    const failure = toFailure(error);
    process.exitCode = exitCodeOf(failure);
    if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: failure }, null, 2)}\n`);
    else process.stderr.write(formatFailure(failure));
  }
}

endAsSignalled();

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
