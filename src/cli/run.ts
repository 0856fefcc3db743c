/** Runs a command, and ends as documented whatever happens. */

import { LxcvError } from '../model/errors.js';
import { isRepositoryName } from '../model/names.js';
import { nearest } from '../model/nearest.js';
import type { BaseCommand } from './base-command.js';
import type { CommandShape } from './command-shape.js';
import { tellFailure } from './failure.js';
import { ALIASES, guessedCommand } from './guesses.js';
import { MinimalConfig } from './minimal-config.js';
import { standardError, standardOutput } from './output.js';
import { givenLxcpath, quoteForShell, withLxcpath, withoutCommonFlags } from './paste.js';
import { helpWidth } from './terminal.js';

/** How to load each command, by its name. */
export type Commands = Readonly<Record<string, () => Promise<{ default: CommandClass }>>>;

type CommandClass = (new (argv: string[], config: MinimalConfig) => BaseCommand) & CommandShape;

/** @param root a file of the package, for oclif. */
export async function runCommand(args: readonly string[], commands: Commands, root: string): Promise<void> {
  const [typed = '', ...rest] = helpAsFlag(commandFirst(args));
  const names = Object.keys(commands);
  const tell = async (error: unknown) => {
    const pastable = (hint: string) => withLxcpath(hint, givenLxcpath(args), names);
    await tellFailure(error, beforeEnd(args).includes('--json'), pastable);
  };
  // What no promise has: Node says so of a program that it has no file descriptors to start with.
  process.once('uncaughtException', async (error) => {
    await tell(error);
    await standardError.written();
    process.exit();
  });
  try {
    checkHelp(commandFirst(args));
    if (typed === '' || isHelp(typed)) {
      await printOverview(commands);
      return;
    }
    const name = Object.hasOwn(ALIASES, typed) ? (ALIASES[typed] as string) : typed;
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load === undefined) throw noCommand(typed, rest, names);
    const { default: command } = await load();
    if (asksForHelp(rest)) await printHelp(name, command);
    else await new command(rest, new MinimalConfig(root, names)).start(name);
  } catch (error) {
    await tell(error);
  }
}

/** Help takes the time to load what only help needs. */
async function printOverview(commands: Commands): Promise<void> {
  const { renderOverview } = await import('./help.js');
  const shapes = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => [name, (await load()).default] as const),
  );
  await print(renderOverview(Object.fromEntries(shapes), helpWidth()));
}

async function printHelp(name: string, command: CommandShape): Promise<void> {
  const { renderHelp } = await import('./help.js');
  await print(renderHelp(name, command, helpWidth()));
}

function print(text: string): Promise<void> {
  return standardOutput.write(`${text}\n`);
}

/** What was typed where a command should stand: what does it today, or what was probably meant. */
function noCommand(typed: string, given: readonly string[], names: readonly string[]): LxcvError {
  const rest = withoutCommonFlags(given);
  if (typed.startsWith('-'))
    return new LxcvError('bad-usage', `lxcv has no flag ${typed}`, insteadOfFlag(typed, rest, names));
  const message = `lxcv has no command ${quoteForShell(typed)}`;
  const guess = guessedCommand(typed, rest);
  if (guess !== undefined) return new LxcvError('bad-usage', message, guess);
  const [second = ''] = rest;
  if (names.includes(second)) {
    const swapped = ['lxcv', second, typed, ...rest.slice(1)].map(quoteForShell).join(' ');
    return new LxcvError('bad-usage', message, `The command comes first: ${swapped}`);
  }
  const suggestion = nearest(typed, names);
  if (suggestion === undefined)
    return new LxcvError(
      'bad-usage',
      message,
      rest.length === 0 && isRepositoryName(typed)
        ? `Of a container: lxcv status ${typed}, lxcv log ${typed}. lxcv --help lists the commands.`
        : 'lxcv --help lists the commands.',
    );
  const meant = ['lxcv', suggestion, ...rest].map(quoteForShell).join(' ');
  return new LxcvError('bad-usage', message, `Did you mean ${meant}?`, { data: { suggestion } });
}

function insteadOfFlag(
  typed: string,
  [name = '', command = '', ...rest]: readonly string[],
  names: readonly string[],
): string {
  if (/^(-v|-V|--version)$/.test(typed)) return 'It stands alone: lxcv --version';
  if (!/^(-n|--name)$/.test(typed) || !names.includes(command)) return 'See lxcv --help.';
  return `The name stands without -n: ${['lxcv', command, name, ...rest].map(quoteForShell).join(' ')}`;
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
  return args[0] === 'help' ? [...withoutCommonFlags(args.slice(1)), '--help'] : args;
}

/** @throws LxcvError `bad-usage` for more than one command that is asked about. */
function checkHelp([typed, ...rest]: readonly string[]): void {
  if (typed !== 'help') return;
  const [command = '', more] = withoutCommonFlags(rest).filter((arg) => !arg.startsWith('-'));
  if (more === undefined) return;
  const message = `lxcv help takes one command, and not ${JSON.stringify(more)}`;
  throw new LxcvError('bad-usage', message, `lxcv help ${quoteForShell(command)}`);
}

function asksForHelp(args: readonly string[]): boolean {
  return beforeEnd(args).some(isHelp);
}

function isHelp(arg: string): boolean {
  return arg === '--help' || arg === '-h';
}

/** The arguments before a `--`. */
function beforeEnd(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}
