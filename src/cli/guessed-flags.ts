/** Flags that users of git and of LXC type, and lxcv has not: each is answered with what does it today. */

import { LATER, restore } from './guesses.js';
import { quoteForShell } from './paste.js';
import { type Answer, BLANK, type FlagKind, takeApart, withUsage } from './typed.js';

const PATCHES: Answer = ({ revision, change, behind }) =>
  `One version at a time: lxcv diff -p ${change}${behind}${behind === '' ? `, or lxcv show ${revision}` : ''}`;
const CHANGED_PATHS: Answer = ({ revision, change, behind }) =>
  `One version at a time: ${behind === '' ? `lxcv show ${revision}, or ` : ''}lxcv diff --stat ${change}${behind}`;
const NEWEST: Answer = ({ lineWith }) => {
  const isLimited = / (?:-n|--limit|-\d)/.test(lineWith());
  return `${LATER} ${isLimited ? lineWith() : lineWith('-n 20')}, or --json for a program to choose`;
};
const CHANGED_TEXT: Answer = ({ lineWith }) =>
  `A grep looks in the versions that are named behind the pattern; which there are: ${lineWith()}`;
const COMMITTED_ANYWAY: Answer = ({ lineWith }) => `Everything is committed anyway: ${lineWith()}`;
const NO_FORCE: Answer = ({ lineWith }) => `Nothing is lost, so nothing needs force: ${lineWith()}`;
const AS_THEY_ARE: Answer = (typed) => `Texts are compared as they are: ${inForm('-p')(typed)}`;
const NO_INDEX: Answer = ({ lineWith }) => `There is no index: ${lineWith()} shows what is not committed.`;
const STATUS_FIRST: Answer = ({ name }) => `lxcv status ${name} shows what would be committed.`;
const ANYWAY: Answer = ({ lineWith }) => `Everything in a version is looked at anyway: ${lineWith()}`;
const NAME_ALONE: Answer = ({ lineWith }) => `The name stands without -n: ${lineWith()}`;

/** The same line in one form of a diff, and no other. */
function inForm(form: string): Answer {
  return ({ lineWith }) => lineWith(form);
}

/** What a version changed, in a form of diff. */
function changeIn(form: string): Answer {
  return ({ change, behind }) => `lxcv diff ${form} ${change}${behind}`;
}

/** No operand begins with a dash, and a pattern need not. @param line without it. */
export function dashedPattern(pattern: string, line: string): string {
  const isFixed = / (?:-F|--fixed)(?= |$)/;
  const text = isFixed.test(line) ? pattern.replace(/[\\.*[\]^$]/g, '\\$&') : pattern;
  const words = line
    .replace(isFixed, '')
    .replace(/^lxcv grep/, () => `lxcv grep ${quoteForShell(`[-]${text.slice(1)}`)}`);
  return `A pattern that begins with - is written so: ${words}`;
}

/** By command, and there by flag. */
const FLAG_GUESSES: Readonly<Record<string, Readonly<Record<string, Answer>>>> = {
  blame: {
    '-L': ({ lineWith, values }) => {
      const lines = values.get('-L') ?? '';
      return `${lineWith()} | sed -n ${/^\d+(,\d+)?$/.test(lines) ? lines : '10,20'}p`;
    },
  },
  branch: {
    '-a': ({ name }) => `All are shown: lxcv branch ${name}`,
    '--list': ({ name }) => `lxcv branch ${name}`,
    '-r': ({ name }) => `There are no remote branches yet: lxcv branch ${name}`,
    '-v': ({ name }) => `It is shown already: lxcv branch ${name}`,
    '-f': ({ name, others: [branch = `${BLANK}BRANCH`] }) => `Delete it first: lxcv branch ${name} -D ${branch}`,
    '-c': ({ name, others: [first = `${BLANK}NEW`, second] }) =>
      second === undefined ? `lxcv branch ${name} ${first}` : `lxcv branch ${name} ${second} ${name}@${first}`,
  },
  checkout: {
    '-f': NO_FORCE,
    '--force': NO_FORCE,
    '-B': ({ lineWith, values }) => lineWith('--branch', values.get('-B') ?? `${BLANK}BRANCH`),
    '-p': (typed) => restore(typed),
    '--start': ({ lineWith, name, others: [made = name] }) => `${LATER} ${lineWith()}, and then lxc-start -n ${made}`,
  },
  commit: {
    '-a': COMMITTED_ANYWAY,
    '--all': COMMITTED_ANYWAY,
    '--amend': ({ lineWith }) => `A version never changes; make another: ${lineWith()}`,
    '--no-edit': COMMITTED_ANYWAY,
    '-c': ({ lineWith, values }) =>
      `The comment is given with -m or -F: ${lineWith('-F', values.get('-c') ?? `${BLANK}FILE`)}`,
    '--dry-run': STATUS_FIRST,
    '-n': NAME_ALONE,
    '-v': ({ name }) => `lxcv diff -p ${name} shows what changed.`,
    '--date': () => 'A version has the time at which it is made.',
    '-S': () => 'Versions are not signed yet.',
  },
  diff: {
    '--cached': NO_INDEX,
    '--staged': NO_INDEX,
    '--numstat': inForm('--stat'),
    '--shortstat': (typed) => `The total stands below: ${inForm('--stat')(typed)}`,
    '-u': inForm('-p'),
    '-r': ({ lineWith }) => `Directories are gone into anyway: ${lineWith()}`,
    '-w': AS_THEY_ARE,
    '-b': AS_THEY_ARE,
    '--word-diff': AS_THEY_ARE,
  },
  export: {
    '--format': ({ name, revision, others: [file = `${name}.tar.gz`] }) =>
      `The name tells it: lxcv export ${revision} -o ${file}`,
  },
  fsck: {
    '--full': ({ lineWith }) => `${LATER} ${lineWith()} looks at all but the bytes of files.`,
    '--repair': ({ lineWith }) => `${LATER} what is found comes with what to do: ${lineWith()}`,
  },
  grep: {
    '-r': ANYWAY,
    '-R': ANYWAY,
    '-n': ({ lineWith }) => `Lines are numbered anyway: ${lineWith()}`,
    '-e': ({ values, lineWith }) => {
      const pattern = values.get('-e') ?? `${BLANK}PATTERN`;
      return pattern.startsWith('-')
        ? dashedPattern(pattern, lineWith())
        : `The pattern comes first: ${lineWith(pattern)}`;
    },
  },
  list: {
    '-l': ({ name }) => `lxcv list shows all that there is to a container; lxcv log ${name} its versions.`,
    '-a': () => 'lxcv list shows all of them.',
  },
  log: {
    '-p': PATCHES,
    '-u': PATCHES,
    '--patch': PATCHES,
    '--stat': CHANGED_PATHS,
    '--name-only': CHANGED_PATHS,
    '--name-status': CHANGED_PATHS,
    '--since': NEWEST,
    '--until': NEWEST,
    '--after': NEWEST,
    '--before': NEWEST,
    '--author': NEWEST,
    '--grep': ({ lineWith, values }) => `${lineWith('--oneline')} | grep ${values.get('--grep') ?? `${BLANK}PATTERN`}`,
    '-S': CHANGED_TEXT,
    '-G': CHANGED_TEXT,
    '--reverse': ({ lineWith }) => `${lineWith('--oneline')} | tac`,
    '--follow': ({ lineWith }) => `A renamed file begins anew: ${lineWith()}`,
    '--format': NEWEST,
    '--pretty': NEWEST,
    '--decorate': ({ lineWith }) => `Branches and tags are shown anyway: ${lineWith()}`,
    '--first-parent': ({ lineWith }) => lineWith('--graph'),
  },
  show: {
    '-p': changeIn('-p'),
    '--patch': changeIn('-p'),
    '--stat': changeIn('--stat'),
    '--name-only': changeIn('--name-only'),
    '--name-status': changeIn('--name-status'),
  },
  status: {
    '-n': (typed) =>
      /^\d+$/.test(typed.values.get('-n') ?? '')
        ? `Versions are shown by log: lxcv log -n ${typed.values.get('-n')} ${typed.revision}`
        : NAME_ALONE(typed),
    '--porcelain': ({ lineWith }) => `For a program: ${lineWith('--json')}`,
    '-u': ({ name }) => `Everything is shown: lxcv status -v ${name}`,
    '--ignored': ({ name }) => `Nothing is ignored: lxcv status -v ${name}`,
  },
  tag: {
    '-l': ({ name }) => `lxcv tag ${name}`,
    '--list': ({ name }) => `lxcv tag ${name}`,
    '-f': ({ name, others: [tag = `${BLANK}TAG`] }) => `Delete it first: lxcv tag ${name} -d ${tag}`,
    '-s': () => 'Tags are not signed yet.',
  },
};

/** The same of every command. */
const COMMON_FLAG_GUESSES: Readonly<Record<string, Answer>> = {
  '-n': NAME_ALONE,
  '--name': NAME_ALONE,
  '-z': ({ lineWith }) => `For a program: ${lineWith('--json')}`,
};

/** Flags that take a value where they come from, and may have it behind a blank. */
const WITH_VALUE: Readonly<Record<string, readonly string[]>> = {
  blame: ['-L'],
  checkout: ['-B'],
  commit: ['-c', '--date'],
  export: ['--format'],
  grep: ['-e'],
  status: ['-n'],
  log: ['--since', '--until', '--after', '--before', '--author', '--grep', '-S', '-G', '--format', '--pretty'],
};

/**
 * What does today what a flag of git or LXC would do; undefined for one that nobody guesses.
 * @param typed the flag as it was given: also with its value, or with others, as `-am`.
 * @param argv the arguments of the command.
 * @param ownKind what the flags are that the command has.
 */
export function guessedFlag(
  command: string,
  typed: string,
  argv: readonly string[],
  ownKind: (flag: string) => FlagKind | undefined,
): string | undefined {
  const answers: Readonly<Record<string, Answer>> = { ...COMMON_FLAG_GUESSES, ...FLAG_GUESSES[command] };
  const answerOf = (flag: string) =>
    Object.hasOwn(answers, flag) && ownKind(flag) === undefined ? answers[flag] : undefined;
  const flags = /^-[^-]/.test(typed) ? [typed.slice(0, 2)] : [typed.split('=', 1)[0] as string];
  const [answer] = flags.flatMap((flag) => answerOf(flag) ?? []);
  if (answer === undefined) return undefined;
  const kindOf = (flag: string): FlagKind | undefined => {
    if (ownKind(flag) !== undefined) return ownKind(flag);
    if (answerOf(flag) === undefined) return undefined;
    return WITH_VALUE[command]?.includes(flag) ? 'foreign-value' : 'foreign-switch';
  };
  return withUsage(answer(takeApart(command, argv, kindOf)));
}
