/** The engine: wires the machine, the store and the operations. It is all that a command sees of them. */

import type { OpenFile } from './host/content.js';
import { type Host, machine } from './host/host.js';
import { LxcvError } from './model/errors.js';
import type { BranchName, ContainerName, RepositoryName, TagName, Version } from './model/version.js';
import { type Blame, type BlameRequest, blame } from './operations/blame.js';
import {
  type Branch,
  type Branches,
  createBranch,
  deleteBranch,
  listBranches,
  renameBranch,
} from './operations/branch.js';
import { checkout } from './operations/checkout.js';
import type { CheckoutOutcome, CheckoutRequest } from './operations/checkout-request.js';
import { commit } from './operations/commit.js';
import type { CommitRequest } from './operations/commit-request.js';
import { consistently } from './operations/consistently.js';
import { type Diff, type DiffRequest, diff } from './operations/diff.js';
import { type ExportRequest, exportVersion } from './operations/export.js';
import type { Finding } from './operations/finding.js';
import { fsck } from './operations/fsck.js';
import { type GrepRequest, grep, type Match } from './operations/grep.js';
import { type Listing, list } from './operations/list.js';
import { type Log, type LogRequest, log } from './operations/log.js';
import { type MountRequest, mountVersion, unmountVersion } from './operations/mount.js';
import { type PatchRequest, patch } from './operations/patch.js';
import { sealRepository } from './operations/seal.js';
import { type ShownVersion, showVersion } from './operations/show.js';
import { type ShownPath, type ShowPathRequest, showPath } from './operations/show-path.js';
import { type Status, status } from './operations/status.js';
import { createTag, deleteTag, listTags, type NamedTag, type TagRequest, type Tags } from './operations/tag.js';
import type { ReportEvent, World } from './operations/world.js';

export interface Engine {
  commit(request: CommitRequest): Promise<Version>;
  checkout(request: CheckoutRequest): Promise<CheckoutOutcome>;
  status(container: ContainerName): Promise<Status>;
  log(request: LogRequest): Promise<Log>;
  list(): Promise<Listing>;
  /** @param revision `NAME[@REV]`. */
  showVersion(revision: string): Promise<ShownVersion>;
  showPath(request: ShowPathRequest): Promise<ShownPath>;
  listBranches(name: ContainerName): Promise<Branches>;
  createBranch(name: ContainerName, branch: BranchName, revision: string): Promise<Branch>;
  renameBranch(name: ContainerName, from: BranchName, to: BranchName): Promise<Branch>;
  deleteBranch(name: ContainerName, branch: BranchName, force: boolean): Promise<Branch>;
  listTags(name: ContainerName): Promise<Tags>;
  createTag(request: TagRequest): Promise<NamedTag>;
  deleteTag(name: ContainerName, tag: TagName): Promise<NamedTag>;
  diff(request: DiffRequest): Promise<Diff>;
  /** To be closed by whoever asked. */
  patch(request: PatchRequest): Promise<OpenFile>;
  blame(request: BlameRequest): Promise<Blame>;
  grep(request: GrepRequest): Promise<Match[]>;
  /** Lists what the new versions of a repository hold: see operations/seal.ts. It takes long, and may be interrupted. */
  seal(repository: RepositoryName): Promise<void>;
  exportVersion(request: ExportRequest): Promise<Version>;
  mountVersion(request: MountRequest): Promise<Version>;
  unmountVersion(directory: string): Promise<void>;
  fsck(repository: ContainerName | undefined): Promise<Finding[]>;
}

export interface EngineOptions {
  /** Where the containers are; LXC's configured lxcpath where it is left out. Relative paths are the caller's to resolve. */
  readonly lxcpath?: string;
  readonly report?: (event: ReportEvent) => void;
  /** The machine; another one for tests. */
  readonly host?: Host;
}

/** @throws LxcvError `not-root`, `no-lxc`, `bad-name` for an lxcpath that no mount option can hold. */
export async function openEngine({ lxcpath, report = () => {}, host = machine }: EngineOptions = {}): Promise<Engine> {
  if (!host.isRoot()) {
    throw new LxcvError(
      'not-root',
      'lxcv must run as root: it mounts file systems and keeps their owners',
      'Use sudo.',
    );
  }
  const world: World = { host, lxcpath: checkLxcpath(lxcpath ?? (await host.lxc.defaultPath())), report };
  return {
    commit: (request) => commit(world, request),
    checkout: (request) => checkout(world, request),
    status: (container) => consistently(world, () => status(world, container)),
    log: (request) => consistently(world, () => log(world, request)),
    list: () => consistently(world, () => list(world)),
    showVersion: (revision) => consistently(world, () => showVersion(world, revision)),
    showPath: (request) => showPath(world, request),
    listBranches: (name) => consistently(world, () => listBranches(world, name)),
    createBranch: (name, branch, revision) => createBranch(world, name, branch, revision),
    renameBranch: (name, from, to) => renameBranch(world, name, from, to),
    deleteBranch: (name, branch, force) => deleteBranch(world, name, branch, force),
    listTags: (name) => consistently(world, () => listTags(world, name)),
    createTag: (request) => createTag(world, request),
    deleteTag: (name, tag) => deleteTag(world, name, tag),
    patch: (request) => consistently(world, () => patch(world, request)),
    grep: (request) => consistently(world, () => grep(world, request)),
    blame: (request) => consistently(world, () => blame(world, request)),
    diff: (request) => consistently(world, () => diff(world, request)),
    seal: (repository) => sealRepository(world, repository),
    mountVersion: (request) => mountVersion(world, request),
    unmountVersion: (directory) => unmountVersion(world, directory),
    exportVersion: (request) => exportVersion(world, request),
    fsck: (repository) =>
      consistently(world, () => fsck(world, repository as string | undefined as RepositoryName | undefined)),
  };
}

function checkLxcpath(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, '');
  if (/^\/[^\s:,\\\p{Cc}]+$/u.test(trimmed)) return trimmed;
  throw new LxcvError(
    'bad-name',
    `${JSON.stringify(path)} cannot be an lxcpath`,
    'Give an absolute path without ":", ",", "\\" and blanks: overlayfs has no way to write them.',
  );
}
