/** What is wrong with a command line, in its own words, with the usage of the command as the hint. */

import { stripVTControlCharacters } from 'node:util';
import * as Errors from '@oclif/core/errors';
import { LxcvError } from '../model/errors.js';
import { nearest } from '../model/nearest.js';
import { argName, type CommandShape, type FlagShape, flagName, usageWords, valueName } from './command-shape.js';
import { dashedPattern, guessedFlag } from './guessed-flags.js';
import { quoteForShell, withoutCommonFlags } from './paste.js';
import type { FlagKind } from './typed.js';

/** Flags that every command has without declaring them. */
const COMMON_FLAGS: Readonly<Record<string, FlagShape>> = {
  help: { type: 'boolean', char: 'h' },
  json: { type: 'boolean' },
  lxcpath: { type: 'option', char: 'P', helpValue: 'DIR' },
};

/** What oclif's parser throws, as far as it is looked at. */
interface ParseFailure {
  readonly args?: readonly unknown[];
  readonly flags?: readonly string[];
  readonly message: string;
}

/** A command line that was refused. @param name of the command. */
export function usageError(
  name: string,
  command: CommandShape,
  message: string,
  hint = usageOf(name, command),
): LxcvError {
  return new LxcvError('bad-usage', message, hint);
}

/** The usage line of a command, as a hint. */
function usageOf(name: string, command: CommandShape): string {
  return `Usage: ${usageWords(name, command).join(' ')}`;
}

/**
 * What oclif's parser threw, in lxcv's words; an error that is not of the parser comes back as it is.
 * @param argv what was parsed.
 */
export function explainParseError(
  error: unknown,
  name: string,
  command: CommandShape,
  argv: readonly string[],
): unknown {
  if (!(error instanceof Errors.CLIError) && !/^Parsing --/.test((error as Error).message)) return error;
  const { message, args = [], flags = [] } = error as ParseFailure;
  const [unknown] = flags;
  if (unknown !== undefined) return unknownFlag(unknown, name, command, argv);
  if (args.length === 0) {
    const told = explainFlags(stripVTControlCharacters(message), name, command);
    return usageError(name, command, told, meantByFlag(told, name, command, argv));
  }
  const isMissing = typeof args[0] === 'object';
  const told = args.map((arg) => (isMissing ? missingArg(arg as { name: string }) : JSON.stringify(arg)));
  return usageError(
    name,
    command,
    `lxcv ${name} ${isMissing ? 'needs' : 'does not take'} ${joinWords(told)}`,
    meantElsewhere(name, command, argv),
  );
}

function meantByFlag(told: string, name: string, command: CommandShape, argv: readonly string[]): string | undefined {
  if (told === '--lxcpath was given twice') {
    const flags = argv.flatMap((arg, at) => {
      const given = /^(?:-P|--lxcpath)$/.test(arg) ? argv[at + 1] : /^(?:-P|--lxcpath=)(.+)$/s.exec(arg)?.[1];
      return given === undefined ? [] : [`-P ${quoteForShell(given)}`];
    });
    return `Leave out all but one of them: ${flags.join(', ')}`;
  }
  return told.startsWith('--limit takes') ? nameAlone(name, command, argv) : undefined;
}

/** LXC's `-n NAME` where -n takes a number. */
function nameAlone(name: string, command: CommandShape, argv: readonly string[]): string | undefined {
  const line = withoutCommonFlags(argv);
  const at = line.findIndex((arg) => /^-n(?!\d)/.test(arg));
  const given = line[at]?.slice(2) || line[at + 1];
  if (at < 0 || given === undefined || !/^[A-Za-z_][\w.@~^-]*$/.test(given)) return undefined;
  const rest = line.filter((_, place) => place !== at && !(line[at] === '-n' && place === at + 1));
  if (operandsOf(rest, command).length > 0) return undefined;
  return `The name stands without -n: ${['lxcv', name, given, ...rest].map(quoteForShell).join(' ')}`;
}

function meantElsewhere(name: string, command: CommandShape, argv: readonly string[]): string | undefined {
  const [first] = operandsOf(argv, command);
  if (name === 'list' && first !== undefined) {
    const container = first.replace(/[@~^].*$/s, '');
    return `Its versions: lxcv log ${quoteForShell(first)}; what is not committed: lxcv status ${quoteForShell(container)}`;
  }
  const end = argv.indexOf('--');
  const pattern = argv[end + 1];
  if (name !== 'grep' || end < 0 || !/^-./s.test(pattern ?? '')) return undefined;
  const rest = withoutCommonFlags([...argv.slice(0, end), ...argv.slice(end + 2)]);
  return dashedPattern(pattern as string, ['lxcv', 'grep', ...rest.map(quoteForShell)].join(' '));
}

/** `lxcv log has no flag --sicne`, with the flag that is meant, or what does today what the flag does in git. */
function unknownFlag(typed: string, name: string, command: CommandShape, argv: readonly string[]): LxcvError {
  const [flag = ''] = typed.split('=');
  const message = `lxcv ${name} has no flag ${flag}`;
  const guess = guessedFlag(name, typed, argv, (each) => kindOf(each, command));
  if (guess !== undefined) return usageError(name, command, message, guess);
  if (name === 'grep' && /^-[^-]./s.test(typed)) {
    const rest = withoutCommonFlags(argv).filter((arg) => arg !== typed);
    const hint = dashedPattern(typed, ['lxcv', 'grep', ...rest.map(quoteForShell)].join(' '));
    return usageError(name, command, message, hint);
  }
  const known = Object.keys(allFlags(command)).map((each) => `--${each}`);
  const suggestion = flag.startsWith('--') ? nearest(flag, known) : undefined;
  if (suggestion === undefined) return usageError(name, command, message);
  const hint = `Did you mean ${suggestion}? ${usageOf(name, command)}`;
  return new LxcvError('bad-usage', message, hint, { data: { suggestion } });
}

/** What a flag is to a command; undefined for one that it has not. */
export function kindOf(typed: string, command: CommandShape): FlagKind | undefined {
  const [, found] =
    Object.entries(allFlags(command)).find(([name, { char }]) => typed === `--${name}` || typed === `-${char}`) ?? [];
  return found && (found.type === 'option' ? 'value' : 'switch');
}

function allFlags({ flags }: CommandShape): Readonly<Record<string, FlagShape>> {
  return { ...flags, ...COMMON_FLAGS };
}

/** The arguments of a command line that are neither flags nor their values. */
export function operandsOf(argv: readonly string[], command: CommandShape): string[] {
  return placesOfOperands(argv, command).map((at) => argv[at] as string);
}

/** Where they stand. */
export function placesOfOperands(argv: readonly string[], command: CommandShape): number[] {
  const takesValue = (arg: string) =>
    Object.entries(allFlags(command)).some(
      ([name, { type, char }]) => type === 'option' && (arg === `--${name}` || arg === `-${char}`),
    );
  return argv.flatMap((arg, at) => (arg.startsWith('-') || takesValue(argv[at - 1] ?? '') ? [] : [at]));
}

/** oclif tells what is wrong with the flags in text alone. */
function explainFlags(message: string, name: string, command: CommandShape): string {
  const shape = (flag: string) => allFlags(command)[flag] ?? ({ type: 'boolean' } satisfies FlagShape);
  for (const [pattern, explain] of FLAG_MESSAGES) {
    const groups = pattern.exec(message)?.slice(1);
    if (groups !== undefined) return explain(groups, name, shape);
  }
  return `lxcv ${name} does not understand this command line`;
}

type Explain = (groups: readonly string[], name: string, shape: (flag: string) => FlagShape) => string;

const FLAG_MESSAGES: readonly (readonly [RegExp, Explain])[] = [
  [
    /^Flag --(\S+) expects (?:a value|one of)/,
    ([flag = ''], _, shape) => {
      const value = valueName(shape(flag)) ?? 'value';
      return `--${flag} needs ${value === 'N' ? 'a number' : article(value)}`;
    },
  ],
  [/^Flag --(\S+) can only be specified once/, ([flag]) => `--${flag} was given twice`],
  [
    /^Parsing --(\S+)\s+Expected an integer greater than or equal to (-?\d+) but received: ([^\n]*)/,
    ([flag, least, value]) => `--${flag} takes a number from ${least} on, not ${JSON.stringify(value)}`,
  ],
  [
    /^Parsing --(\S+)\s+Expected an integer\b[^:]*: ([^\n]*)/,
    ([flag, value]) => `--${flag} takes a whole number, not ${JSON.stringify(value)}`,
  ],
  [
    /--([^\s=]+)(?:=[\s\S]*?)? cannot also be provided when using --(\S+)/,
    ([flag, other]) => `--${flag} and --${other} exclude each other`,
  ],
  [
    /All of the following must be provided when using --(\S+): --(\S+)/,
    ([flag, other]) => `--${flag} needs --${other} beside it`,
  ],
  [/Missing required flag (\S+)/, ([flag = ''], name, shape) => `lxcv ${name} needs ${flagName(flag, shape(flag))}`],
];

function missingArg({ name }: { readonly name: string }): string {
  return article(argName(name));
}

function article(word: string): string {
  return `${/^[AEIO]/i.test(word) ? 'an' : 'a'} ${word}`;
}

function joinWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
