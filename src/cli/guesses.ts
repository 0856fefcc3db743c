/**
 * What users of git and of LXC type, and lxcv has not: each is answered with what does it today. A name that a later version
 * will bring is not taken by anything else until then.
 */

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

/** What was typed behind the command: its first operand cut into name, revision and path. */
interface Operands {
  /** The container, or the placeholder NAME. */
  readonly name: string;
  /** NAME@REV as it was typed, or NAME alone. */
  readonly revision: string;
  /** The other operands. */
  readonly others: readonly string[];
}

type Answer = (operands: Operands) => string;

const LATER = 'It comes with a later version; today:';

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
  delete: ({ name }) => `${LATER} lxcv branch ${name} -d BRANCH; the container: lxc-destroy -n ${name}`,
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
  merge: () => `${LATER} lxcv diff shows what differs between two versions.`,
  mv: ({ name }) => `${LATER} lxcv checkout ${name} NEW makes a container of another name.`,
  operations: ({ name }) => `${LATER} lxcv log --all ${name}`,
  prune: () => `${LATER} versions stay until their repository is removed.`,
  pull: ({ name }) => `${LATER} lxcv export ${name} -o ${name}.tar.gz on the other machine.`,
  push: ({ name }) => `${LATER} lxcv export ${name} -o ${name}.tar.gz`,
  rebase: ({ name }) => `A version never changes; begin a branch instead: lxcv checkout ${name}@REV NEW`,
  redo: ({ name }) => `${LATER} lxcv checkout ${name}@REV goes to any version.`,
  reflog: ({ name }) => `lxcv log --all ${name}`,
  release: () => `${LATER} a container without lxcv: lxc-copy -B dir`,
  remote: ({ name }) => `${LATER} lxcv export ${name} -o ${name}.tar.gz`,
  rename: ({ name }) => `${LATER} lxcv checkout ${name} NEW makes a container of another name.`,
  reset: ({ revision }) =>
    `lxcv checkout ${revision} goes back in place, and keeps what is not committed as a version.`,
  restore: ({ revision, others }) => restoreAnswer(revision, others),
  revert: ({ revision }) => `${LATER} lxcv checkout ${revision}~1 goes back to before it.`,
  rm: ({ name }) => `${LATER} lxcv branch ${name} -d BRANCH; the container: lxc-destroy -n ${name}`,
  rollback: ({ name }) => `lxcv checkout ${name}@REV`,
  run: ({ revision }) => `${LATER} lxcv checkout ${revision} TRIAL, and then lxc-start -n TRIAL`,
  sizes: () => `${LATER} du -sh beside the lxcpath, in the directory with a v at its end.`,
  snap: ({ name }) => `lxcv commit ${name}`,
  snapshot: ({ name }) => `lxcv commit ${name}`,
  squash: () => `${LATER} versions stay as they are.`,
  start: ({ name }) => `LXC does that: lxc-start -n ${name}`,
  stash: ({ name }) => `${LATER} lxcv commit ${name}, or lxcv checkout ${name}, which keeps what is not committed.`,
  stop: ({ name }) => `LXC does that: lxc-stop -n ${name}`,
  switch: ({ revision }) => `lxcv checkout ${revision}`,
  try: ({ name }) => `${LATER} lxcv commit ${name}, try it, and lxcv checkout ${name} to go back.`,
  undo: ({ name }) => `${LATER} lxcv checkout ${name}@REV goes to any version; lxcv log ${name} shows them.`,
  verify: () => 'lxcv fsck looks whether the store is sound.',
  version: () => 'lxcv --version',
  whatchanged: ({ name }) => `lxcv log ${name}, and lxcv show ${name}@REV for one version`,
};

const PATCHES: Answer = ({ name }) =>
  `One version at a time: lxcv diff -p ${name}~1 ${name}@HEAD, or lxcv show ${name}`;
const CHANGED_PATHS: Answer = ({ name }) =>
  `One version at a time: lxcv show ${name}, or lxcv diff --stat ${name}~1 ${name}@HEAD`;
const NEWEST: Answer = ({ name }) => `${LATER} lxcv log -n 20 ${name}, or --json for a program to choose`;
const TEXT_ONLY: Answer = ({ revision }) => `lxcv diff -p ${revision} compares texts as they are.`;

/** By command, and there by flag. */
const FLAG_GUESSES: Readonly<Record<string, Readonly<Record<string, Answer>>>> = {
  blame: {
    '-L': ({ revision, others }) => `lxcv blame ${revision} ${others[0] ?? 'PATH'} | sed -n 10,20p`,
  },
  branch: {
    '-a': ({ name }) => `All are shown: lxcv branch ${name}`,
    '--list': ({ name }) => `lxcv branch ${name}`,
    '-r': ({ name }) => `There are no remote branches yet: lxcv branch ${name}`,
    '-v': ({ name }) => `It is shown already: lxcv branch ${name}`,
    '-f': ({ name }) => `Delete it first: lxcv branch ${name} -D BRANCH`,
    '-c': ({ name }) => `lxcv branch ${name} NEW ${name}@BRANCH`,
  },
  checkout: {
    '-f': ({ revision }) => `Nothing is lost, so nothing needs force: lxcv checkout ${revision}`,
    '--force': ({ revision }) => `Nothing is lost, so nothing needs force: lxcv checkout ${revision}`,
    '-B': ({ revision }) => `lxcv checkout --branch BRANCH ${revision}`,
    '-p': ({ revision }) => restoreAnswer(revision, []),
    '--start': ({ name }) => `${LATER} lxc-start -n ${name}, when it is checked out`,
  },
  commit: {
    '-a': ({ name }) => `Everything is committed anyway: lxcv commit ${name}`,
    '--all': ({ name }) => `Everything is committed anyway: lxcv commit ${name}`,
    '--amend': ({ name }) => `A version never changes; make another: lxcv commit -m TEXT ${name}`,
    '-c': ({ name }) => `The comment is given with -m or -F: lxcv commit -F FILE ${name}`,
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
    '-z': ({ revision }) => `For a program: lxcv diff --json ${revision}`,
  },
  export: {
    '--format': ({ revision }) => `The name tells it: lxcv export ${revision} -o FILE.tar.gz`,
  },
  grep: {
    '-r': () => 'Everything in a version is looked at anyway.',
    '-n': () => 'Lines are numbered anyway.',
    '-e': () => 'The pattern comes first: lxcv grep PATTERN REVISION',
  },
  list: {
    '-l': () => 'lxcv list shows all that there is to a container; lxcv log NAME its versions.',
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
    '--grep': ({ name }) => `lxcv log --oneline ${name} | grep PATTERN`,
    '-S': ({ name }) => `lxcv grep PATTERN ${name}@0 ${name}`,
    '-G': ({ name }) => `lxcv grep PATTERN ${name}@0 ${name}`,
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
    '-a': ({ name, others }) => `With -m a tag is annotated: lxcv tag -m TEXT ${name} ${others[0] ?? 'TAG'}`,
    '-l': ({ name }) => `lxcv tag ${name}`,
    '--list': ({ name }) => `lxcv tag ${name}`,
    '-f': ({ name, others }) => `Delete it first: lxcv tag ${name} -d ${others[0] ?? 'TAG'}`,
    '-s': () => 'Tags are not signed yet.',
  },
};

/** What does today what a command of another name would do; undefined for one that nobody guesses. */
export function guessedCommand(command: string, args: readonly string[]): string | undefined {
  return Object.hasOwn(COMMAND_GUESSES, command) ? COMMAND_GUESSES[command]?.(operands(args)) : undefined;
}

/** The same of a flag. @param args the operands of the command. */
export function guessedFlag(command: string, flag: string, args: readonly string[]): string | undefined {
  const answers = FLAG_GUESSES[command];
  return answers !== undefined && Object.hasOwn(answers, flag) ? answers[flag]?.(operands(args)) : undefined;
}

/** How to get a file or a directory back from a version, as long as there is no `restore`. */
export function restoreAnswer(revision: string, paths: readonly string[]): string {
  const path = paths.find((each) => !each.startsWith('-')) ?? 'PATH';
  const whole = `/${path.replace(/^\/+/, '')}`;
  const last = whole.replace(/\/+$/, '').split('/').at(-1) || 'FILE';
  return `A file: lxcv show ${revision}:${whole} > ${last}; a directory: lxcv mount ${revision} /mnt, and copy it from there.`;
}

/** `bb@1:/etc/hosts` is the revision `bb@1`, of `bb`, and a path. */
function operands(args: readonly string[]): Operands {
  const [first = 'NAME', ...others] = args.filter((arg) => !arg.startsWith('-'));
  const [revision = '', ...path] = first.split(':');
  const name = revision.replace(/[@~^].*$/s, '');
  return { name, revision, others: [...(path.length === 0 ? [] : [path.join(':')]), ...others] };
}
