/** The help of lxcv and of each command, made of what the commands declare; no line is wider than the terminal. */

import { displayWidth, fill } from '../render/width.js';
import { argName, type CommandShape, type FlagShape, flagName, usageWords } from './command-shape.js';
import { ALIASES } from './guesses.js';

/** What every command takes. */
const COMMON: readonly (readonly [string, string])[] = [
  ['-P, --lxcpath DIR', "Where the containers are (default: LXC's own lxcpath)."],
  ['    --json', 'Print JSON.'],
  ['-h, --help', 'Show this help.'],
];
const COMMON_NAMES = ['lxcpath', 'json'];

const EXIT_CODES = '0 done, 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the store is damaged.';

/** What `lxcv` alone and `lxcv --help` show. */
export function renderOverview(commands: Readonly<Record<string, CommandShape>>, width: number): string {
  const rows = Object.entries(commands).map(([name, { summary = '' }]) => [name, summary] as const);
  const shorts = Object.entries(ALIASES).map(([short, name]) => `${short} for ${name}`);
  return joinSections([
    ['', wrap('Git for LXC containers: make some changes, commit, make some more, commit, go back.', width)],
    ['USAGE', indent(wrap('lxcv COMMAND [-P DIR] [--json] ...', width - INDENT))],
    ['COMMANDS', renderRows(rows, width)],
    [
      'BEGIN WITH',
      renderRows(
        [
          ['lxcv commit NAME', 'Make the first version of a container.'],
          ['lxcv log NAME', 'Show its versions.'],
          ['lxcv help COMMAND', 'Show the help of a command.'],
        ],
        width,
      ),
    ],
    [
      'REVISIONS',
      indent(
        wrap(
          'NAME[@REV] names a version. NAME is a container or, failing that, a repository; REV a number, a branch, a tag, an id or ' +
            'its unique prefix, or HEAD (the default), with ~N and ^N as in git. Where something is only looked at, NAME@WORK is what a ' +
            'container holds now.',
          width - INDENT,
        ),
      ),
    ],
    ['SHORT FORMS', indent(wrap(`${shorts.join(', ')}.`, width - INDENT))],
  ]);
}

/** What `lxcv COMMAND --help` and `lxcv help COMMAND` show. */
export function renderHelp(name: string, command: CommandShape, width: number): string {
  const { summary = '', description = '', examples = [], exitCodes = '', args, flags, takesPaths } = command;
  const operands = Object.entries(args).map(([arg, { description: text = '' }]) => [argName(arg), text] as const);
  if (takesPaths) operands.push(['PATH', 'Only this, and what is below it.']);
  const own = Object.entries(flags).filter(([flag]) => !COMMON_NAMES.includes(flag));
  const shorts = Object.keys(ALIASES).filter((short) => ALIASES[short] === name);
  return joinSections([
    ['', wrap(summary, width)],
    ['USAGE', hang(usageWords(name, command), width)],
    ['ARGUMENTS', renderRows(operands, width)],
    ['OPTIONS', renderRows(own.map(flagRow), width)],
    ['COMMON OPTIONS', renderRows(COMMON, width)],
    ['DESCRIPTION', indent(paragraphs(description, width - INDENT))],
    ['SHORT FORMS', indent(shorts.map((short) => `lxcv ${short}`))],
    ['EXAMPLES', indent(examples.map((example) => `$ ${String(example)}`))],
    ['EXIT CODES', indent(wrap(`${EXIT_CODES} ${exitCodes}`.trim(), width - INDENT))],
  ]);
}

const INDENT = 2;
const GAP = 2;
/** A column of names wider than this part of the line has its texts below the names. */
const NAMES_PART = 0.45;

function flagRow([name, flag]: readonly [string, FlagShape]): readonly [string, string] {
  const short = flag.char === undefined ? '    ' : `-${flag.char}, `;
  return [`${short}${flagName(name, flag)}${flag.multiple ? '...' : ''}`, flag.summary ?? ''];
}

function joinSections(sections: readonly (readonly [string, readonly string[]])[]): string {
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [...(title === '' ? [] : [title]), ...lines].join('\n'))
    .join('\n\n');
}

/** A name and its text a row, the texts in a column of their own. */
function renderRows(rows: readonly (readonly [string, string])[], width: number): string[] {
  const widest = Math.max(0, ...rows.map(([name]) => displayWidth(name)));
  const column = Math.min(widest, Math.floor(width * NAMES_PART));
  const left = INDENT + column + GAP;
  return rows.flatMap(([name, text]) => {
    const lines = wrap(text, width - left).map((line) => `${' '.repeat(left)}${line}`);
    const head = `${' '.repeat(INDENT)}${name}`;
    if (displayWidth(name) > column) return [head, ...lines];
    const [first = ''] = lines;
    return [`${head.padEnd(left)}${first.slice(left)}`.trimEnd(), ...lines.slice(1)];
  });
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `${' '.repeat(INDENT)}${line}`);
}

/** Words in lines, those after the first further in. */
function hang(words: readonly string[], width: number): string[] {
  const [first = '', ...rest] = fill(words, width - 3 * INDENT);
  return indent([first, ...indent(indent(rest))]);
}

function paragraphs(text: string, width: number): string[] {
  return text.split('\n\n').flatMap((each, index) => [...(index === 0 ? [] : ['']), ...wrap(each, width)]);
}

function wrap(text: string, width: number): string[] {
  return text === '' ? [] : fill(text.split(/\s+/), width);
}
