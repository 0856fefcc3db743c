/** A command line of git's or LXC's habits, taken apart: a hint that is made of it keeps all that was typed but what was wrong. */

import { OF_NOBODY } from './operand-hints.js';
import { quoteForShell, withoutCommonFlags } from './paste.js';

/** What a flag is to the command that is meant: one of its own, or a foreign one, which it would refuse. */
export type FlagKind = 'switch' | 'value' | 'foreign-switch' | 'foreign-value';

/** Each text is as a shell takes it; what begins with `BLANK` was not typed, and stands for what is missing. */
export interface Typed {
  /** The container. */
  readonly name: string;
  /** NAME@REV as it was typed, or NAME alone. */
  readonly revision: string;
  /** The version that is named by it or, as in `web 2`, behind it. */
  readonly version: string;
  /** What is named there and no number: a branch, mostly. */
  readonly branch: string | undefined;
  /** The other operands. */
  readonly others: readonly string[];
  /** The same as they were typed, and what stands behind a `--`. */
  readonly paths: readonly string[];
  /** The version before `revision`, and `revision`: the operands of a diff that tells what it changed. */
  readonly change: string;
  /** ` -- PATH...` of the paths that were typed. */
  readonly behind: string;
  /** What was given to each foreign flag. */
  readonly values: ReadonlyMap<string, string | undefined>;
  /** The command line without foreign flags, with these before what is left. */
  readonly lineWith: (...flags: readonly string[]) => string;
}

/** What a command does for a line that was typed. */
export type Answer = (typed: Typed) => string;

/** The forms of a diff: each without the others. */
const FORMS = ['-p', '--patch', '--stat', '--name-only', '--name-status', '--metadata', '--packages'];

/** Commands of which a line without an operand names nothing. */
const NEED_NAME = ['checkout', 'commit', 'diff', 'log'];

export const BLANK = '\0';

interface Cut {
  readonly operands: string[];
  readonly paths: string[];
  /** All of the line but foreign flags and their values. */
  readonly kept: string[];
  readonly values: Map<string, string | undefined>;
}

/** @param command that the hint runs. @param kindOf undefined for a flag that nobody knows: it is kept. */
export function takeApart(
  command: string,
  argv: readonly string[],
  kindOf: (flag: string) => FlagKind | undefined,
): Typed {
  const { operands, paths, kept, values } = cutLine(withoutCommonFlags(argv), kindOf);
  const quoted = new Map(Array.from(values, ([flag, value]) => [flag, value && quoteForShell(value)] as const));
  const isForm = (arg: string) => FORMS.includes(arg);
  const lineWith = (...flags: readonly string[]) => {
    const rest = flags.some(isForm) ? kept.filter((arg) => !isForm(arg)) : kept;
    const missing = operands.length === 0 && NEED_NAME.includes(command) ? [`${BLANK}NAME`] : [];
    return ['lxcv', command, ...flags, ...rest.map(quoteForShell), ...missing].join(' ');
  };
  return { ...partsOf(operands, paths), values: quoted, lineWith };
}

function cutLine(argv: readonly string[], kindOf: (flag: string) => FlagKind | undefined): Cut {
  const cut: Cut = { operands: [], paths: [], kept: [], values: new Map() };
  let apart: string | undefined;
  for (let at = 0; at < argv.length; at += 1) {
    const arg = argv[at] as string;
    if (arg === '--') {
      cut.paths.push(...argv.slice(at + 1));
      cut.kept.push(...argv.slice(at));
      break;
    }
    if (!/^-./s.test(arg)) {
      cut.operands.push(arg);
      cut.kept.push(arg);
      continue;
    }
    const left: string[] = [];
    for (const [flag, attached] of flagsIn(arg, kindOf)) {
      const kind = kindOf(flag);
      const isApart = attached === undefined && kind?.endsWith('value') === true && at + 1 < argv.length;
      if (isApart) at += 1;
      const value = isApart ? argv[at] : attached;
      if (kind?.startsWith('foreign')) cut.values.set(flag, value);
      else
        left.push(arg.startsWith('--') ? arg : `${flag.slice(1)}${attached ?? ''}`, ...(isApart ? [value ?? ''] : []));
      if (isApart && kind === 'foreign-value') apart = flag;
    }
    if (left.length === 0) continue;
    const [first = '', ...rest] = left;
    const isValueApart = kindOf(`-${left.at(-2)?.at(-1) ?? ''}`) === 'value' && !arg.startsWith('--');
    if (arg.startsWith('--')) cut.kept.push(...left);
    else if (isValueApart) cut.kept.push(`-${left.slice(0, -1).join('')}`, left.at(-1) ?? '');
    else cut.kept.push(`-${first}${rest.join('')}`);
  }
  // Without another operand what stands behind the flag is the container, and the flag was given alone.
  const value = apart === undefined ? undefined : cut.values.get(apart);
  if (apart !== undefined && value !== undefined && cut.operands.length === 0) {
    cut.operands.push(value);
    cut.kept.unshift(value);
    cut.values.set(apart, undefined);
  }
  return cut;
}

/** `-rn` is two flags, `-n5` one with its value, `--format=x` too. */
function flagsIn(arg: string, kindOf: (flag: string) => FlagKind | undefined): [string, string | undefined][] {
  if (arg.startsWith('--')) {
    const [flag = '', ...value] = arg.split('=');
    return [[flag, value.length === 0 ? undefined : value.join('=')]];
  }
  const flags: [string, string | undefined][] = [];
  for (let at = 1; at < arg.length; at += 1) {
    const flag = `-${arg[at]}`;
    const attached = arg.slice(at + 1).replace(/^=/, '');
    if (kindOf(flag)?.endsWith('value')) return [...flags, [flag, attached === '' ? undefined : attached]];
    flags.push([flag, undefined]);
  }
  return flags;
}

const STEPS = /^@?([\w.-]+(?:[~^]\d*)*)$/;

/** `bb@1:/etc/hosts` is the revision `bb@1`, of `bb`, and a path. */
function partsOf(operands: readonly string[], paths: readonly string[]): Omit<Typed, 'values' | 'lineWith'> {
  const [first = '', ...behind] = operands;
  const [typed = '', ...path] = first.split(':');
  const isNamed = !OF_NOBODY.test(typed);
  const revision =
    isNamed || typed === '' ? typed : `NAME@${typed.replace(/^@(?=\w)/, '').replace(/^(?![\w])@?/, 'HEAD')}`;
  const name = isNamed ? revision.replace(/[@~^].*$/s, '') : '';
  const others = [...(path.length === 0 ? [] : [path.join(':')]), ...behind];
  const [, second] = STEPS.exec(others[0] ?? '') ?? [];
  const version = revision !== name ? revision : second === undefined ? undefined : `${name}@${second}`;
  const named = revision === name ? second : revision.slice(name.length + 1).split(/[~^]/, 1)[0];
  const quote = (text: string) => (isNamed ? quoteForShell(text) : `${BLANK}${text || 'NAME'}`);
  const asPaths = [...others.filter((each) => each.includes('/')), ...paths];
  return {
    name: quote(name),
    revision: quote(revision),
    version: version === undefined ? `${BLANK}${name || 'NAME'}@REV` : quote(version),
    branch: named === undefined || /^(\d*|HEAD)$/.test(named) ? undefined : quoteForShell(named),
    others: others.map(quoteForShell),
    paths: [...others, ...paths],
    change: /@0$/.test(revision)
      ? `${quote(`${name}@BASE`)} ${quote(revision)}`
      : `${quote(`${revision}~1`)} ${quote(revision === name ? `${name}@HEAD` : revision)}`,
    behind: asPaths.length === 0 ? '' : ` -- ${asPaths.map(quoteForShell).join(' ')}`,
  };
}

/** A command line with a blank in it is none to paste: it becomes a line of usage. */
export function withUsage(hint: string): string {
  const pieces = hint.split(/(?=\b(?:lxcv [a-z]|lxc-[a-z]+ ))/);
  return pieces
    .map((piece) => (piece.includes(BLANK) ? `Usage: ${piece.replaceAll(BLANK, '')}` : piece))
    .join('')
    .replace('; today: Usage:', '. Usage:');
}
