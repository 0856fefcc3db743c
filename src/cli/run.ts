/** Runs a command, and ends as documented whatever happens. */

import { flush } from '@oclif/core/flush';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { BareConfig } from './bare-config.js';
import type { BaseCommand } from './base-command.js';
import { tellFailure } from './failure.js';
import { reasonOf, standardError } from './output.js';

/** How to load each command, by its name. */
export type Commands = Readonly<Record<string, () => Promise<{ default: CommandClass }>>>;

type CommandClass = new (argv: string[], config: BareConfig) => BaseCommand;

/** @param root a file of the package: oclif looks upwards from there. */
export async function runCommand(args: readonly string[], commands: Commands, root: string): Promise<void> {
  // Under some values of NODE_ENV oclif would look for TypeScript to run the sources with.
  settings.enableAutoTranspile = false;
  const [name = '', ...rest] = helpAsFlag(commandFirst(args));
  try {
    const load = Object.hasOwn(commands, name) && !asksForHelp(rest) ? commands[name] : undefined;
    // Help, and what is no command, is for oclif to find words for.
    if (load === undefined) await runByOclif(name === '' ? [] : [name, ...rest], root);
    else await new (await load()).default(rest, new BareConfig(root)).start(name);
  } catch (error) {
    if (isExit(error)) {
      process.exitCode = error.oclif.exit;
    } else {
      await tellFailure(error, args.includes('--json'));
    }
  }
}

/** oclif writes by Node's streams, and hears of no error. */
async function runByOclif(args: string[], root: string): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    standardError.write(`lxcv: standard output could not be written: ${reasonOf(error)}\n`);
    process.exit(1);
  });
  await run(args, root);
  await flush();
}

/** Lets the flags of all commands stand before the command, as git's do: oclif wants them behind it. */
function commandFirst(args: readonly string[]): string[] {
  const flag = /^(-P|--lxcpath|--json|-P.+|--lxcpath=.*)$/;
  let count = 0;
  while (flag.test(args[count] ?? '')) count += args[count] === '-P' || args[count] === '--lxcpath' ? 2 : 1;
  const [command, ...rest] = args.slice(count);
  return command === undefined ? [] : [command, ...args.slice(0, count), ...rest];
}

/** `help log` for `log --help`, as git takes both. */
function helpAsFlag(args: readonly string[]): readonly string[] {
  return args[0] === 'help' ? [...args.slice(1), '--help'] : args;
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

/** oclif ends help and version with an error that only carries an exit code. */
function isExit(error: unknown): error is { code: 'EEXIT'; oclif: { exit: number } } {
  return (error as { code?: unknown } | null)?.code === 'EEXIT';
}
