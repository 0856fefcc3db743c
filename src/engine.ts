/** The engine: wires the machine, the store and the operations. It is all that a command sees of them. */

import type { OpenFile } from './host/content.js';
import { type Host, machine } from './host/host.js';
import { type Signals, signalsOf } from './host/signals.js';
import { LxcvError } from './model/errors.js';
import type { Finding } from './model/finding.js';
import type {
  Blame,
  Branch,
  Branches,
  CheckoutOutcome,
  Listing,
  Log,
  Match,
  NamedTag,
  NotStarted,
  ShownVersion,
  Status,
  Statuses,
  Tags,
  Unsearched,
} from './model/results.js';
import type { BranchName, ContainerName, RepositoryName, TagName, Version } from './model/version.js';
import { type BlameRequest, blame } from './operations/blame.js';
import { createBranch, deleteBranch, listBranches, renameBranch } from './operations/branch.js';
import { checkout } from './operations/checkout.js';
import type { CheckoutRequest } from './operations/checkout-request.js';
import { commit } from './operations/commit.js';
import type { CommitRequest } from './operations/commit-request.js';
import { type Diff, type DiffRequest, diff } from './operations/diff.js';
import { type ExportRequest, exportVersion } from './operations/export.js';
import { fsck } from './operations/fsck.js';
import { type GrepRequest, grep } from './operations/grep.js';
import { dropMessage, keepMessage } from './operations/keep-message.js';
import { list } from './operations/list.js';
import { type LogRequest, log } from './operations/log.js';
import { type MountRequest, mountVersion, unmountVersion } from './operations/mount.js';
import { type PatchRequest, patch } from './operations/patch.js';
import { sealRepository } from './operations/seal.js';
import { showVersion } from './operations/show.js';
import { type ShownPath, type ShowPathRequest, showPath } from './operations/show-path.js';
import { status, statusOfAll } from './operations/status.js';
import { createTag, deleteTag, listTags, type TagRequest } from './operations/tag.js';
import type { Context, ReportEvent } from './plumbing/context.js';
import type { NamedVersion } from './plumbing/lookup.js';
import { notStarted } from './plumbing/restart.js';
import { retryUntilStable } from './plumbing/retry-until-stable.js';
import { namesOf } from './plumbing/suggestion.js';
import { storeRoot } from './store/layout.js';
import { checkPathOwned } from './store/ownership.js';

/** What every verb takes besides its request. */
interface Call {
  /** Ends it early: what was begun is rolled back, and `interrupted` is thrown, unless the commit point had passed. */
  readonly signal?: AbortSignal | undefined;
  /** Takes what goes on, in place of the engine's own. */
  readonly report?: ((event: ReportEvent) => void) | undefined;
}

/** Verbs keep no state between calls, and leave none in the process; several may be under way at once. */
export interface Engine {
  commit(request: CommitRequest, call?: Call): Promise<Version>;
  /** Keeps the message of a commit that was refused. @returns the file that it is in. */
  keepMessage(container: ContainerName, message: string): string;
  /** Removes what `keepMessage` kept, where the file is that. */
  dropMessage(container: ContainerName, file: string): void;
  checkout(request: CheckoutRequest, call?: Call): Promise<CheckoutOutcome>;
  status(container: ContainerName, call?: Call): Promise<Status>;
  statusOfAll(call?: Call): Promise<Statuses>;
  log(request: LogRequest, call?: Call): Promise<Log>;
  list(call?: Call): Promise<Listing>;
  /** The containers that were stopped for a commit or a checkout, and could not be started again. */
  notStarted(call?: Call): Promise<NotStarted[]>;
  /** The names of all containers and repositories. */
  names(call?: Call): Promise<string[]>;
  /** @param revision `NAME[@REV]`. */
  showVersion(revision: string, call?: Call): Promise<ShownVersion>;
  showPath(request: ShowPathRequest, call?: Call): Promise<ShownPath>;
  listBranches(name: ContainerName, call?: Call): Promise<Branches>;
  createBranch(name: ContainerName, branch: BranchName, revision: string, call?: Call): Promise<Branch>;
  renameBranch(name: ContainerName, from: BranchName, to: BranchName, call?: Call): Promise<Branch>;
  deleteBranch(name: ContainerName, branch: BranchName, force: boolean, call?: Call): Promise<Branch>;
  listTags(name: ContainerName, call?: Call): Promise<Tags>;
  createTag(request: TagRequest, call?: Call): Promise<NamedTag>;
  deleteTag(name: ContainerName, tag: TagName, call?: Call): Promise<NamedTag>;
  diff(request: DiffRequest, call?: Call): Promise<Diff>;
  /** To be closed by whoever asked. */
  patch(request: PatchRequest, call?: Call): Promise<OpenFile>;
  blame(request: BlameRequest, call?: Call): Promise<Blame>;
  /** Some at a time, as they are found. */
  grep(request: GrepRequest, call?: Call): AsyncIterable<readonly (Match | Unsearched)[]>;
  /** Lists what the new versions of a repository hold: see operations/seal.ts. It takes long, and may be interrupted. */
  seal(repository: RepositoryName, call?: Call): Promise<void>;
  exportVersion(request: ExportRequest, call?: Call): Promise<NamedVersion>;
  mountVersion(request: MountRequest, call?: Call): Promise<NamedVersion>;
  unmountVersion(directory: string, call?: Call): Promise<void>;
  fsck(repository: ContainerName | undefined, call?: Call): Promise<Finding[]>;
}

export interface EngineOptions {
  /** Where the containers are; LXC's configured lxcpath where it is left out. Relative paths are the caller's to resolve. */
  readonly lxcpath?: string | undefined;
  readonly report?: (event: ReportEvent) => void;
  /** What ends a call that brings no signal of its own, and is held while something is changed: the program's, for one. */
  readonly signals?: Signals;
  /** Called when an operation turns out to be a large one, so that the program may give memory back early. */
  readonly onLarge?: () => void;
  /** The machine; another one for tests. */
  readonly host?: Host;
}

/** @throws LxcvError `not-root`, `no-lxc`, `lxcpath-not-found`, `unsafe-owner` for a store or an lxcpath that is not root's alone, `bad-name` for an lxcpath that no mount option can hold. */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const { host = machine, signals = host.signals, onLarge } = options;
  if (!host.isRoot()) {
    throw new LxcvError(
      'not-root',
      'lxcv must run as root: it mounts file systems and keeps their owners',
      'Use sudo.',
    );
  }
  const lxcpath = checkLxcpath(options.lxcpath ?? (await host.lxc.defaultPath()));
  if (host.files.statTarget(lxcpath)?.type !== 'directory') throw noLxcpath(lxcpath);
  for (const path of [lxcpath, storeRoot(host.files, lxcpath)]) checkPathOwned(host.files, path);
  const contextOf = ({ signal, report = options.report ?? (() => {}) }: Call = {}): Context => ({
    host: { ...host, signals: signal === undefined ? signals : signalsOf(signal, signals.hold) },
    lxcpath,
    report,
    onLarge,
  });
  const read = <T>(call: Call | undefined, act: (context: Context) => T | Promise<T>): Promise<T> =>
    retryUntilStable(contextOf(call), act);
  return {
    commit: (request, call) => commit(contextOf(call), request),
    keepMessage: (container, message) => keepMessage(contextOf(), container, message),
    dropMessage: (container, file) => dropMessage(contextOf(), container, file),
    checkout: (request, call) => checkout(contextOf(call), request),
    status: (container, call) => read(call, (context) => status(context, container)),
    log: (request, call) => read(call, (context) => log(context, request)),
    notStarted: (call) => read(call, (context) => notStarted(context)),
    list: (call) => list(contextOf(call)),
    statusOfAll: (call) => statusOfAll(contextOf(call)),
    names: (call) => read(call, (context) => [...namesOf(context)].sort()),
    showVersion: (revision, call) => read(call, (context) => showVersion(context, revision)),
    showPath: (request, call) => showPath(contextOf(call), request),
    listBranches: (name, call) => read(call, (context) => listBranches(context, name)),
    createBranch: (name, branch, revision, call) => createBranch(contextOf(call), name, branch, revision),
    renameBranch: (name, from, to, call) => renameBranch(contextOf(call), name, from, to),
    deleteBranch: (name, branch, force, call) => deleteBranch(contextOf(call), name, branch, force),
    listTags: (name, call) => read(call, (context) => listTags(context, name)),
    createTag: (request, call) => createTag(contextOf(call), request),
    deleteTag: (name, tag, call) => deleteTag(contextOf(call), name, tag),
    patch: (request, call) => patch(contextOf(call), request),
    grep: (request, call) => grep(contextOf(call), request),
    blame: (request, call) => blame(contextOf(call), request),
    diff: (request, call) => diff(contextOf(call), request),
    seal: (repository, call) => sealRepository(contextOf(call), repository),
    mountVersion: (request, call) => mountVersion(contextOf(call), request),
    unmountVersion: (directory, call) => unmountVersion(contextOf(call), directory),
    exportVersion: (request, call) => exportVersion(contextOf(call), request),
    fsck: (name, call) => fsck(contextOf(call), name as string | undefined as RepositoryName | undefined),
  };
}

function noLxcpath(path: string): LxcvError {
  return new LxcvError(
    'lxcpath-not-found',
    `there is no directory ${path}, where the containers should be`,
    'Name the lxcpath with -P: the directory in which each container has its own.',
    { data: { path } },
  );
}

function checkLxcpath(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, '');
  if (/^\/[^\s:,\\\p{Cc}\p{Cs}]+$/u.test(trimmed)) return trimmed;
  throw new LxcvError(
    'bad-name',
    `${JSON.stringify(path)} cannot be an lxcpath`,
    'Give an absolute path without ":", ",", "\\" and blanks: overlayfs has no way to write them.',
  );
}
