/**
 * What users of git and of LXC type, and lxcv has not: each is answered with what does it today. A name that a later version
 * will bring is not taken by anything else until then.
 */

import { quoteForShell } from './paste.js';
import { type Answer, BLANK, type FlagKind, type Typed, takeApart, withUsage } from './typed.js';

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

export const LATER = 'It comes with a later version; today:';

const REMOVAL: Answer = ({ name, revision, branch, paths }) => {
  if (branch !== undefined && paths.length < 2) return `${LATER} lxcv branch ${name} -d ${branch}; its versions stay.`;
  if (revision !== name || paths.length > 0)
    return `${LATER} versions stay as they are; lxcv log --all ${name} shows them.`;
  return `LXC does that; versions stay, what is not committed goes: lxc-destroy -n ${name}`;
};
const ANY_VERSION: Answer = ({ name, version }) =>
  `${LATER} lxcv checkout ${version} goes to any version; lxcv log ${name} shows them.`;
const COPY: Answer = ({ revision, others: [to = `${BLANK}NEW`] }) =>
  `A container of its own: lxcv checkout ${revision} ${to}`;
const COMMIT: Answer = ({ lineWith }) => lineWith();
const ALL_VERSIONS: Answer = ({ name }) => `lxcv log --all ${name}`;
const EXPORT: Answer = (typed) => {
  const name = containerAmong(typed);
  return `${LATER} lxcv export ${name} -o ${name.replace(BLANK, '')}.tar.gz`;
};
const RENAME: Answer = ({ name, others: [to = `${BLANK}NEW`] }) =>
  `${LATER} lxcv checkout ${name} ${to} makes a container of another name.`;
const LISTING: Answer = ({ revision, others: [path = '/'] }) => `lxcv show ${revision}:${path}`;

const COMMAND_GUESSES: Readonly<Record<string, Answer>> = {
  add: ({ name }) => `Everything is committed, there is nothing to add: lxcv commit ${name}`,
  amend: ({ lineWith }) => `A version never changes; make another: ${lineWith()}`,
  archive: (typed) => `lxcv export ${typed.revision} -o ${typed.values.get('-o') ?? `${typed.name}.tar.gz`}`,
  attach: ({ name }) => `LXC does that: lxc-attach -n ${name}`,
  backup: ({ lineWith }) => `A version is kept in the store: ${lineWith()}`,
  bisect: ({ name }) => `${LATER} lxcv checkout ${BLANK}${bare(name)}@REV goes to each; lxcv log ${name} shows them.`,
  cat: ({ revision, others: [path = `${BLANK}PATH`] }) => `lxcv show ${revision}:${path}`,
  check: () => 'lxcv fsck looks whether the store is sound.',
  'cherry-pick': ({ change }) => `${LATER} lxcv diff -p ${change} shows what it changed.`,
  clean: ({ name }) => `It takes back what is not committed, and keeps it as a version: lxcv checkout ${name}`,
  clone: COPY,
  config: ({ name, paths: [first] }) =>
    /^'?(user|core|color|alias)[.]/.test(name)
      ? `lxcv has no settings of its own. Who commits, it takes from git: git config --global ${name} ${quoteForShell(first ?? '')}`.trimEnd()
      : `${LATER} lxcv diff ${name}@0 ${name} tells what changed in the LXC config.`,
  copy: COPY,
  create: ({ name }) =>
    `LXC does that: lxc-create -n ${name} -t busybox, or another template. Then: lxcv commit ${name}`,
  delete: REMOVAL,
  describe: ({ name }) => `lxcv status ${name} tells it.`,
  destroy: ({ name }) => `LXC does that; versions stay, what is not committed goes: lxc-destroy -n ${name}`,
  du: () => `${LATER} du -sh beside the lxcpath, in the directory with a v at its end.`,
  exec: ({ name, lineWith }) => {
    const program = lineWith().replace(/^lxcv commit (?:\S+)? ?(?:-- )?/, '');
    return `LXC does that: lxc-attach -n ${name}${program === '' ? '' : ` -- ${program}`}`;
  },
  fetch: EXPORT,
  find: ({ revision, others: [pattern = `${BLANK}PATTERN`] }) => `${LATER} lxcv grep ${pattern} ${revision}`,
  gc: () => `${LATER} nothing is collected yet; lxcv fsck looks whether the store is sound.`,
  graph: ({ name }) => `lxcv log --graph --all ${name}`,
  history: ({ revision }) => `lxcv log ${revision}`,
  info: ({ name }) => `lxcv status ${name}, or of the running container: lxc-info -n ${name}`,
  init: ({ lineWith }) => `There is nothing to set up: the first commit does it: ${lineWith()}`,
  'ls-files': LISTING,
  'ls-tree': LISTING,
  merge: ({ name, revision, branch, others: [other = branch ?? `${BLANK}BRANCH`] }) =>
    `${LATER} lxcv diff ${other === branch ? name : revision} ${other.includes('@') ? other : `${name}@${other}`} shows what differs.`,
  mv: RENAME,
  operations: ({ name }) => `${LATER} lxcv log --all ${name}`,
  prune: () => `${LATER} versions stay until their repository is removed.`,
  pull: EXPORT,
  push: EXPORT,
  rebase: ({ version, others: [, to = `${BLANK}NEW`] }) =>
    `A version never changes; begin a branch instead: lxcv checkout ${version} ${to}`,
  redo: ANY_VERSION,
  reflog: ALL_VERSIONS,
  release: ({ name, others: [to = `${BLANK}NEW`] }) =>
    `${LATER} a container without lxcv: lxc-copy -n ${name} -N ${to} -B dir`,
  remote: EXPORT,
  rename: RENAME,
  reset: (typed) =>
    typed.behind === ''
      ? `lxcv checkout ${typed.others.length === 0 ? typed.revision : typed.version} goes back in place, and keeps what is not committed as a version.`
      : restore(typed),
  restore: (typed) => restore(typed),
  revert: ({ revision, change }) =>
    revision.endsWith('@0')
      ? `It is the first, and none is before it; what it changed: lxcv diff -p ${change}`
      : `${LATER} lxcv checkout ${revision}~1 goes back to before it.`,
  rm: REMOVAL,
  rollback: ({ version }) => `lxcv checkout ${version}`,
  run: ({ revision }) => `${LATER} lxcv checkout ${revision} ${BLANK}TRIAL, and then lxc-start -n ${BLANK}TRIAL`,
  shortlog: ({ revision }) => `lxcv log --oneline ${revision}`,
  sizes: () => `${LATER} du -sh beside the lxcpath, in the directory with a v at its end.`,
  snap: COMMIT,
  snapshot: COMMIT,
  squash: () => `${LATER} versions stay as they are.`,
  start: ({ name }) => `LXC does that: lxc-start -n ${name}`,
  stash: (typed) => stashed(typed),
  stop: ({ name }) => `LXC does that: lxc-stop -n ${name}`,
  switch: ({ name, version, values }) => {
    const created = [...values.values()].find((value) => value !== undefined);
    return created === undefined ? `lxcv checkout ${version}` : `lxcv checkout --branch ${created} ${name}`;
  },
  try: ({ name }) => `${LATER} lxcv commit ${name}, try it, and lxcv checkout ${name} to go back.`,
  undo: ANY_VERSION,
  verify: () => 'lxcv fsck looks whether the store is sound.',
  version: () => 'lxcv --version',
  whatchanged: ({ name, version }) => `lxcv log ${name}, and lxcv show ${version} for one version`,
};

/** Commands of git's that a commit comes nearest to: what they have of its flags is kept. */
const OF_COMMIT = ['amend', 'backup', 'init', 'snap', 'snapshot'];
const COMMIT_VALUES = ['-m', '--message', '-F', '--file', '--author'];
/** Flags that name the branch to make. */
const CREATES = ['-c', '-C', '--create', '--force-create'];

/** What does today what a command of another name would do; undefined for one that nobody guesses. */
export function guessedCommand(command: string, args: readonly string[]): string | undefined {
  const answer = Object.hasOwn(COMMAND_GUESSES, command) ? COMMAND_GUESSES[command] : undefined;
  if (answer === undefined) return undefined;
  const kindOf = (flag: string): FlagKind | undefined => {
    if (OF_COMMIT.includes(command) && COMMIT_VALUES.includes(flag)) return 'value';
    if (command === 'exec') return undefined;
    return (command === 'switch' && CREATES.includes(flag)) || (command === 'archive' && flag === '-o')
      ? 'foreign-value'
      : 'foreign-switch';
  };
  const typed = takeApart('commit', args, kindOf);
  return withUsage(answer(typed));
}

/** How to get a file or a directory back from a version, as long as there is no `restore`. */
export function restoreAnswer(revision: string, paths: readonly string[]): string {
  return withUsage(restoreLine(quoteForShell(revision), paths));
}

/** @param revision as a shell takes it. */
function restoreLine(revision: string, paths: readonly string[]): string {
  const [path] = paths;
  if (path?.split('/').includes('..')) return 'Write the path from the root of the container, without "..".';
  const mount = `a directory: lxcv mount ${revision} /mnt, and copy it from there.`;
  if (path === undefined) return `A file: lxcv show ${revision}:${BLANK}/PATH; ${mount}`;
  const whole = `/${path.replace(/^\/+/, '')}`;
  const last = whole.replace(/\/+$/, '').split('/').at(-1) || 'FILE';
  const file = revision.endsWith("'")
    ? `${revision}${quoteForShell(`:${whole}`)}`
    : quoteForShell(`${revision}:${whole}`);
  return `A file: lxcv show ${file} > ${quoteForShell(last)}; ${mount}`;
}

/** The container that is named once more is no path in it. */
export const restore: Answer = ({ name, revision, paths }) =>
  paths.length === 1 && quoteForShell(paths[0] ?? '') === name
    ? `lxcv checkout ${revision} goes back in place, and keeps what is not committed as a version.`
    : restoreLine(revision, paths);

const UNSTASHED = ['pop', 'apply', 'branch', 'drop'];
const STASH_SHOWN = ['list', 'show'];

/** What was kept by a checkout is a version. */
const stashed: Answer = ({ name, others: [next] }) => {
  const isPushed = name === 'push' || name === 'save';
  const isKept = UNSTASHED.includes(name) || STASH_SHOWN.includes(name);
  const container = isKept || isPushed ? (next ?? `${BLANK}NAME`) : name;
  if (STASH_SHOWN.includes(name)) return `What was kept is a version: lxcv log --all ${container}`;
  if (isKept)
    return `What was kept is a version: lxcv log --all ${container} shows it; back to it: lxcv checkout ${BLANK}${bare(container)}@REV`;
  return `${LATER} lxcv commit ${container}, or lxcv checkout ${container}, which keeps what is not committed.`;
};

const REMOTES = ['origin', 'upstream', 'add', 'show', 'remove', 'get-url', 'set-url'];

/** In git a remote, or what to do with it, may come first. */
function containerAmong({ name, others }: Typed): string {
  const [found, other] = [name, ...others].filter((each) => !REMOTES.includes(each));
  return found === undefined || other !== undefined ? `${BLANK}NAME` : found;
}

function bare(text: string): string {
  return text.replace(BLANK, '');
}
