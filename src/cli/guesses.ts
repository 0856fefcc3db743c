/**
 * What users of git and of LXC type, and lxcv has not: each is answered with what does it today. A name that a later version
 * will bring is not taken by anything else until then.
 */

import { quoteForShell, withoutCommonFlags } from './paste.js';

/** Short forms that work. */
export const ALIASES: Readonly<Record<string, string>> = {
  annotate: 'blame',
  br: 'branch',
  ci: 'commit',
  co: 'checkout',
  ls: 'list',
  st: 'status',
  unmount: 'umount',
};

/** What was typed behind the command, each part as a shell takes it: its first operand cut into name, revision and path. */
interface Typed {
  /** The container, or the placeholder NAME. */
  readonly name: string;
  /** NAME@REV as it was typed, or NAME alone. */
  readonly revision: string;
  /** The version that is named by it or, as in `web 2`, behind it; NAME@REV where none is. */
  readonly version: string;
  /** What is named there and no number: a branch, mostly. */
  readonly branch: string | undefined;
  /** The other operands. */
  readonly others: readonly string[];
  /** The same as they were typed. */
  readonly paths: readonly string[];
  /** What was given to the flag; undefined where that is nothing. */
  readonly value: string | undefined;
  /** The command line without the flag. */
  readonly line: string;
}

type Answer = (typed: Typed) => string;

const LATER = 'It comes with a later version; today:';

const REMOVAL: Answer = ({ name, branch = 'BRANCH' }) =>
  `${LATER} lxcv branch ${name} -d ${branch}; the container: lxc-destroy -n ${name}`;
const ANY_VERSION: Answer = ({ name, version }) =>
  `${LATER} lxcv checkout ${version} goes to any version; lxcv log ${name} shows them.`;

const COMMAND_GUESSES: Readonly<Record<string, Answer>> = {
  add: ({ name }) => `Everything is committed, there is nothing to add: lxcv commit ${name}`,
  amend: ({ name }) => `A version never changes; make another: lxcv commit -m TEXT ${name}`,
  attach: ({ name }) => `LXC does that: lxc-attach -n ${name}`,
  backup: ({ name }) => `A version is kept in the store: lxcv commit ${name}`,
  cat: ({ revision, others }) => `lxcv show ${revision}:${others[0] ?? 'PATH'}`,
  'cherry-pick': ({ revision }) => `${LATER} lxcv diff -p ${revision}~1 ${revision} shows what it changed.`,
  clean: ({ name }) => `It takes back what is not committed, and keeps it as a version: lxcv checkout ${name}`,
  clone: ({ revision, others }) => `A container of its own: lxcv checkout ${revision} ${others[0] ?? 'NEW'}`,
  config: ({ name }) => `${LATER} lxcv diff ${name}@0 ${name} tells what changed in the LXC config.`,
  copy: ({ revision, others }) => `A container of its own: lxcv checkout ${revision} ${others[0] ?? 'NEW'}`,
  delete: REMOVAL,
  describe: ({ name }) => `lxcv status ${name} tells it.`,
  destroy: ({ name }) => `LXC does that; versions stay, what is not committed goes: lxc-destroy -n ${name}`,
  du: () => `${LATER} du -sh beside the lxcpath, in the directory with a v at its end.`,
  fetch: ({ name }) => `${LATER} lxcv export ${name} -o ${name}.tar.gz`,
  find: ({ revision, others }) => `${LATER} lxcv grep ${others[0] ?? 'PATTERN'} ${revision}`,
  gc: () => `${LATER} nothing is collected yet; lxcv fsck looks whether the store is sound.`,
  graph: ({ name }) => `lxcv log --graph --all ${name}`,
  history: ({ name }) => `lxcv log ${name}`,
  info: ({ name }) => `lxcv status ${name}, or of the running container: lxc-info -n ${name}`,
  init: ({ name }) => `There is nothing to set up: the first commit does it: lxcv commit ${name}`,
  'ls-files': ({ revision }) => `lxcv show ${revision}:/`,
  'ls-tree': ({ revision }) => `lxcv show ${revision}:/`,
  merge: ({ name, revision, branch, others: [other = branch ?? 'BRANCH'] }) =>
    `${LATER} lxcv diff ${other === branch ? name : revision} ${other.includes('@') ? other : `${name}@${other}`} shows what differs.`,
  mv: ({ name }) => `${LATER} lxcv checkout ${name} NEW makes a container of another name.`,
  operations: ({ name }) => `${LATER} lxcv log --all ${name}`,
  prune: () => `${LATER} versions stay until their repository is removed.`,
  pull: ({ name }) => `${LATER} lxcv export ${name} -o ${name}.tar.gz on the other machine.`,
  push: ({ name }) => `${LATER} lxcv export ${name} -o ${name}.tar.gz`,
  rebase: ({ version }) => `A version never changes; begin a branch instead: lxcv checkout ${version} NEW`,
  redo: ANY_VERSION,
  reflog: ({ name }) => `lxcv log --all ${name}`,
  release: () => `${LATER} a container without lxcv: lxc-copy -B dir`,
  remote: ({ name }) => `${LATER} lxcv export ${name} -o ${name}.tar.gz`,
  rename: ({ name }) => `${LATER} lxcv checkout ${name} NEW makes a container of another name.`,
  reset: ({ revision }) =>
    `lxcv checkout ${revision} goes back in place, and keeps what is not committed as a version.`,
  restore: ({ revision, paths }) => restoreAnswer(revision, paths),
  revert: ({ revision }) => `${LATER} lxcv checkout ${revision}~1 goes back to before it.`,
  rm: REMOVAL,
  rollback: ({ version }) => `lxcv checkout ${version}`,
  run: ({ revision }) => `${LATER} lxcv checkout ${revision} TRIAL, and then lxc-start -n TRIAL`,
  sizes: () => `${LATER} du -sh beside the lxcpath, in the directory with a v at its end.`,
  snap: ({ name }) => `lxcv commit ${name}`,
  snapshot: ({ name }) => `lxcv commit ${name}`,
  squash: () => `${LATER} versions stay as they are.`,
  start: ({ name }) => `LXC does that: lxc-start -n ${name}`,
  stash: ({ name }) => `${LATER} lxcv commit ${name}, or lxcv checkout ${name}, which keeps what is not committed.`,
  stop: ({ name }) => `LXC does that: lxc-stop -n ${name}`,
  switch: ({ version }) => `lxcv checkout ${version}`,
  try: ({ name }) => `${LATER} lxcv commit ${name}, try it, and lxcv checkout ${name} to go back.`,
  undo: ANY_VERSION,
  verify: () => 'lxcv fsck looks whether the store is sound.',
  version: () => 'lxcv --version',
  whatchanged: ({ name, version }) => `lxcv log ${name}, and lxcv show ${version} for one version`,
};

const PATCHES: Answer = ({ name }) =>
  `One version at a time: lxcv diff -p ${name}~1 ${name}@HEAD, or lxcv show ${name}`;
const CHANGED_PATHS: Answer = ({ name }) =>
  `One version at a time: lxcv show ${name}, or lxcv diff --stat ${name}~1 ${name}@HEAD`;
const NEWEST: Answer = ({ name }) => `${LATER} lxcv log -n 20 ${name}, or --json for a program to choose`;
const CHANGED_TEXT: Answer = ({ name, value = 'PATTERN' }) => `lxcv grep ${value} ${name}@0 ${name}`;
const COMMITTED_ANYWAY: Answer = ({ line }) => `Everything is committed anyway: ${line}`;
const NO_FORCE: Answer = ({ revision }) => `Nothing is lost, so nothing needs force: lxcv checkout ${revision}`;
const TEXT_ONLY: Answer = ({ revision }) => `lxcv diff -p ${revision} compares texts as they are.`;

/** By command, and there by flag. */
const FLAG_GUESSES: Readonly<Record<string, Readonly<Record<string, Answer>>>> = {
  blame: {
    '-L': ({ line, value = '10,20' }) => `${line} | sed -n ${/^\d+(,\d+)?$/.test(value) ? value : '10,20'}p`,
  },
  branch: {
    '-a': ({ name }) => `All are shown: lxcv branch ${name}`,
    '--list': ({ name }) => `lxcv branch ${name}`,
    '-r': ({ name }) => `There are no remote branches yet: lxcv branch ${name}`,
    '-v': ({ name }) => `It is shown already: lxcv branch ${name}`,
    '-f': ({ name, others }) => `Delete it first: lxcv branch ${name} -D ${others[0] ?? 'BRANCH'}`,
    '-c': ({ name, others: [first = 'NEW', second] }) =>
      second === undefined ? `lxcv branch ${name} ${first}` : `lxcv branch ${name} ${second} ${name}@${first}`,
  },
  checkout: {
    '-f': NO_FORCE,
    '--force': NO_FORCE,
    '-B': ({ revision, value = 'BRANCH' }) => `lxcv checkout --branch ${value} ${revision}`,
    '-p': ({ revision }) => restoreAnswer(revision, []),
    '--start': ({ name }) => `${LATER} lxc-start -n ${name}, when it is checked out`,
  },
  commit: {
    '-a': COMMITTED_ANYWAY,
    '--all': COMMITTED_ANYWAY,
    '--amend': ({ name }) => `A version never changes; make another: lxcv commit -m TEXT ${name}`,
    '-c': ({ name, value = 'FILE' }) => `The comment is given with -m or -F: lxcv commit -F ${value} ${name}`,
    '--dry-run': ({ name }) => `lxcv status ${name} shows what would be committed.`,
    '-n': ({ name }) => `lxcv status ${name} shows what would be committed.`,
    '-v': ({ name }) => `lxcv diff -p ${name} shows what changed.`,
    '--date': () => 'A version has the time at which it is made.',
    '-S': () => 'Versions are not signed yet.',
  },
  diff: {
    '--cached': ({ name }) => `There is no index: lxcv diff ${name} shows what is not committed.`,
    '--staged': ({ name }) => `There is no index: lxcv diff ${name} shows what is not committed.`,
    '--numstat': ({ revision }) => `lxcv diff --stat ${revision}`,
    '--shortstat': ({ revision }) => `lxcv diff --stat ${revision} | tail -n 1`,
    '-u': ({ revision }) => `lxcv diff -p ${revision}`,
    '-r': ({ revision }) => `lxcv diff ${revision}`,
    '-w': TEXT_ONLY,
    '-b': TEXT_ONLY,
    '--word-diff': TEXT_ONLY,
  },
  export: {
    '--format': ({ name, revision }) => `The name tells it: lxcv export ${revision} -o ${name}.tar.gz`,
  },
  fsck: {
    '--full': ({ line }) => `${LATER} ${line} looks at all but the bytes of files.`,
    '--repair': ({ line }) => `${LATER} what is found comes with what to do: ${line}`,
  },
  grep: {
    '-r': ({ line }) => `Everything in a version is looked at anyway: ${line}`,
    '-R': ({ line }) => `Everything in a version is looked at anyway: ${line}`,
    '-n': ({ line }) => `Lines are numbered anyway: ${line}`,
    '-e': ({ value = 'PATTERN', line }) =>
      `The pattern comes first: ${line.replace(/^lxcv grep ?/, () => `lxcv grep ${value} `)}`,
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
    '--grep': ({ name, value = 'PATTERN' }) => `lxcv log --oneline ${name} | grep ${value}`,
    '-S': CHANGED_TEXT,
    '-G': CHANGED_TEXT,
    '--reverse': ({ name }) => `lxcv log --oneline ${name} | tac`,
    '--follow': ({ name, others }) => `lxcv log ${name} -- ${others[0] ?? 'PATH'}: a renamed file begins anew.`,
    '--format': NEWEST,
    '--pretty': NEWEST,
    '--decorate': ({ name }) => `Branches and tags are shown anyway: lxcv log ${name}`,
    '--first-parent': ({ name }) => `lxcv log --graph ${name}`,
  },
  show: {
    '-p': ({ revision }) => `lxcv diff -p ${revision}~1 ${revision}`,
    '--patch': ({ revision }) => `lxcv diff -p ${revision}~1 ${revision}`,
    '--stat': ({ revision }) => `lxcv diff --stat ${revision}~1 ${revision}`,
    '--name-only': ({ revision }) => `lxcv diff --name-only ${revision}~1 ${revision}`,
    '--name-status': ({ revision }) => `lxcv diff --name-status ${revision}~1 ${revision}`,
  },
  status: {
    '--porcelain': ({ name }) => `For a program: lxcv status --json ${name}`,
    '-u': ({ name }) => `Everything is shown: lxcv status -v ${name}`,
    '--ignored': ({ name }) => `Nothing is ignored: lxcv status -v ${name}`,
  },
  tag: {
    '-l': ({ name }) => `lxcv tag ${name}`,
    '--list': ({ name }) => `lxcv tag ${name}`,
    '-f': ({ name, others }) => `Delete it first: lxcv tag ${name} -d ${others[0] ?? 'TAG'}`,
    '-s': () => 'Tags are not signed yet.',
  },
};

/** The same of every command. */
const COMMON_FLAG_GUESSES: Readonly<Record<string, Answer>> = {
  '-z': ({ line }) => `For a program: ${line} --json`,
};

/** Flags that take a value where they come from, and may have it behind a blank. */
const WITH_VALUE: Readonly<Record<string, readonly string[]>> = {
  blame: ['-L'],
  checkout: ['-B'],
  commit: ['-c', '--date'],
  export: ['--format'],
  grep: ['-e'],
  log: ['--since', '--until', '--after', '--before', '--author', '--grep', '-S', '-G', '--format', '--pretty'],
};

/** What does today what a command of another name would do; undefined for one that nobody guesses. */
export function guessedCommand(command: string, args: readonly string[]): string | undefined {
  if (!Object.hasOwn(COMMAND_GUESSES, command)) return undefined;
  return COMMAND_GUESSES[command]?.(typedParts(args, args, undefined));
}

/**
 * The same of a flag.
 * @param typed the flag as it was given: also with its value, or with others, as `-am`.
 * @param argv the arguments of the command.
 * @param operandsOf which of them are neither flags nor their values.
 */
export function guessedFlag(
  command: string,
  typed: string,
  argv: readonly string[],
  operandsOf: (argv: readonly string[]) => readonly string[],
): string | undefined {
  const flag = /^-[^-]/.test(typed) ? typed.slice(0, 2) : (typed.split('=', 1)[0] as string);
  const answers: Readonly<Record<string, Answer>> = { ...COMMON_FLAG_GUESSES, ...FLAG_GUESSES[command] };
  const answer = Object.hasOwn(answers, flag) ? answers[flag] : undefined;
  if (answer === undefined) return undefined;
  const at = argv.indexOf(typed);
  const attached = typed.slice(flag.length).replace(/^=/, '');
  const takesValue = WITH_VALUE[command]?.includes(flag) ?? false;
  // Without another operand it is the container, and the flag was given alone.
  const isApart = takesValue && attached === '' && operandsOf(argv).length > 1;
  const value = isApart ? argv[at + 1] : takesValue ? attached : undefined;
  // Other flags may hang on one that takes no value.
  const left = takesValue || attached === '' ? [] : [`-${attached}`];
  const rest = [...argv.slice(0, at), ...left, ...argv.slice(at + (isApart ? 2 : 1))];
  return answer(typedParts(operandsOf(rest), ['lxcv', command, ...withoutCommonFlags(rest)], value));
}

/** How to get a file or a directory back from a version, as long as there is no `restore`. */
export function restoreAnswer(revision: string, paths: readonly string[]): string {
  const path = paths.find((each) => !each.startsWith('-')) ?? 'PATH';
  const whole = `/${path.replace(/^\/+/, '')}`;
  const last = whole.replace(/\/+$/, '').split('/').at(-1) || 'FILE';
  const file = quoteForShell(`${revision}:${whole}`);
  return `A file: lxcv show ${file} > ${quoteForShell(last)}; a directory: lxcv mount ${revision} /mnt, and copy it from there.`;
}

/** `bb@1:/etc/hosts` is the revision `bb@1`, of `bb`, and a path. */
function typedParts(operands: readonly string[], line: readonly string[], value: string | undefined): Typed {
  const [first = 'NAME', ...behind] = operands.filter((arg) => !arg.startsWith('-'));
  const [revision = '', ...path] = first.split(':');
  const name = revision.replace(/[@~^].*$/s, '');
  const others = [...(path.length === 0 ? [] : [path.join(':')]), ...behind];
  const [second] = others;
  const version =
    revision !== name ? revision : `${name}@${second === undefined || second.includes('/') ? 'REV' : second}`;
  const named = revision === name ? second : revision.slice(name.length + 1).split(/[~^]/, 1)[0];
  return {
    ...{ name: quoteForShell(name), revision: quoteForShell(revision), version: quoteForShell(version) },
    branch: named === undefined || /^\d*$/.test(named) ? undefined : quoteForShell(named),
    others: others.map(quoteForShell),
    paths: others,
    value: value && quoteForShell(value),
    line: line.map(quoteForShell).join(' '),
  };
}
