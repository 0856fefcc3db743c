/** The part of fsck that looks at names: what lies in a repository, and is none of lxcv's. */

import { basename } from 'node:path';
import { type FilesRead, isSystemError, unlessGone } from '../host/files.js';
import { type BytePath, bytesToText, encodePath, isUtf8 } from '../model/byte-path.js';
import type { EntryType } from '../model/entry.js';
import { isRepositoryName, isVersionId } from '../model/names.js';
import { decodeTag } from '../model/tag.js';
import type { TagName, VersionId } from '../model/version.js';
import { RepositoryLayout, storeRoot } from '../store/layout.js';
import { readSetAside } from '../store/set-aside.js';
import { listRepositories } from '../store/store.js';
import { describe, readStoreFile } from '../store/store-file.js';
import { type Finding, finding, RESTORE } from './finding.js';
import { isConfined } from './lookup.js';
import type { World } from './world.js';

const IN_REPOSITORY =
  /^(aside|containers|empty|graph|graph\.partial|hooks|lock|operations|refs|restarting|seal\.lock|summaries|summaries\.partial|versions)$/;
const FILES_IN_REPOSITORY = /^(graph|graph\.partial|lock|operations|seal\.lock|summaries|summaries\.partial)$/;
const IN_REFS = /^(heads|tags)$/;
const IN_VERSION = /^(config|delta|entries|entries\.partial|files|keyframe-\d|manifest\.json|sources|work|work-left)$/;
/** Of the others it is told what they are needed for. */
const FILES_IN_VERSION = /^(entries|entries\.partial|sources)$/;
const DIRECTORIES_IN_VERSION = /^(files|keyframe-\d|work-left)$/;
const WORKDIR = /^work$/;
const NONE = /^$/;
const IN_WORKING = /^(delta|work|working\.json)$/;
/** Beside the containers: what a checkout makes before it has its name. */
const STAGED_CONTAINER = /^\.lxcv-/;

/** What lies in the directories of versions and working deltas, by their names: each is listed once. */
export type Listings = ReadonlyMap<string, ReadonlyMap<string, EntryType>>;

export function listVersions(files: FilesRead, { versions }: RepositoryLayout): Listings {
  return new Map((files.list(versions) as string[]).map((id) => [id, listTyped(files, `${versions}/${id}`)]));
}

/** Nothing of what is no directory. */
function listTyped(files: FilesRead, path: string): ReadonlyMap<string, EntryType> {
  using directory = files.openDirectory(path);
  return directory === undefined ? new Map() : files.listTyped(directory.path);
}

/** What is at a path directly below the directory of a version or working delta, if something is. */
export function typeIn(listings: Listings, id: VersionId, path: string): EntryType | undefined {
  return listings.get(id)?.get(basename(path));
}

/** What no operation of lxcv's leaves behind. Directories under `versions` that are neither version nor working delta are gc's. */
export function* checkNames(world: World, layout: RepositoryLayout, listings: Listings): Generator<Finding> {
  const refs = `${layout.root}/refs`;
  yield* checkDirectory(world, layout.root, IN_REPOSITORY);
  yield* checkTypes(layout.root, listTyped(world.host.files, layout.root), FILES_IN_REPOSITORY, IN_REPOSITORY);
  yield* checkDirectory(world, refs, IN_REFS);
  yield* checkTypes(refs, listTyped(world.host.files, refs), NONE, IN_REFS);
  for (const [id, types] of [...listings].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { root, manifest, working } = layout.version(id as VersionId);
    const names = [...types.keys()].sort();
    if (!isVersionId(id)) yield unknownFile(layout.versions, id);
    else if (types.has(basename(manifest))) {
      yield* checkNamesIn(root, names, IN_VERSION);
      yield* checkTypes(root, types, FILES_IN_VERSION, DIRECTORIES_IN_VERSION);
    } else if (types.has(basename(working))) {
      yield* checkNamesIn(root, names, IN_WORKING);
      yield* checkTypes(root, types, NONE, WORKDIR);
    }
  }
  yield* checkAsides(world, layout);
}

/** The same beside the containers, of all repositories; nothing while another lxcv is at work, which may be about to take it away. */
export function* checkStagedContainers(world: World): Generator<Finding> {
  const names = namesIn(world, world.lxcpath).filter((each) => STAGED_CONTAINER.test(each));
  if (names.length > 0 && isAtWork(world)) return;
  for (const name of names) yield unknownFile(world.lxcpath, name);
}

/** Whether another lxcv has any repository locked. */
function isAtWork({ host, lxcpath }: World): boolean {
  const root = storeRoot(host.files, lxcpath);
  return listRepositories(host, lxcpath).some((name) => {
    const { lock } = new RepositoryLayout(root, name);
    if (host.files.stat(lock)?.type !== 'file') return false;
    try {
      const taken = host.takeLock(lock, 'fsck');
      if (taken.held) taken[Symbol.dispose]();
      return !taken.held;
    } catch (error) {
      // A store that is read-only, say, has nobody at work.
      if (isSystemError(error)) return false;
      throw error;
    }
  });
}

function* checkAsides(world: World, layout: RepositoryLayout): Generator<Finding> {
  for (const id of namesIn(world, layout.asides)) {
    const path = layout.aside(id as VersionId);
    const { delta } = layout.version(id as VersionId);
    if (!isVersionId(id)) yield unknownFile(layout.asides, id);
    else if (world.host.files.stat(delta)?.type !== 'directory') {
      yield finding('layer-missing', delta, 'what was set aside there is gone', RESTORE);
    } else {
      yield* checkAside(world, path);
    }
  }
}

function* checkAside({ host: { files } }: World, path: string): Generator<Finding> {
  try {
    readSetAside(files, path);
  } catch (error) {
    if (!isConfined(error)) throw error;
    yield finding('container-damaged', path, error.message, RESTORE);
  }
}

export function* checkRefs(
  world: World,
  layout: RepositoryLayout,
  versions: ReadonlyMap<VersionId, unknown>,
): Generator<Finding> {
  for (const name of namesIn(world, layout.branches)) {
    const path = `${layout.branches}/${name}`;
    if (!isRepositoryName(name)) yield unknownFile(layout.branches, name);
    else yield* checkRef(world, path, (bytes) => bytes.toString('utf8').trimEnd() as VersionId, versions);
  }
  for (const name of namesIn(world, layout.tags)) {
    const path = layout.tag(name as TagName);
    if (!isRepositoryName(name)) yield unknownFile(layout.tags, name);
    else yield* checkRef(world, path, (bytes) => decodeTag(bytes, path).version, versions);
  }
}

/** @param name as it was listed: a character a byte. */
export function unknownFile(directory: string, name: string): Finding {
  const where = `${directory}/${bytesToText(name)}`;
  const found = finding('unknown-file', where, 'lxcv did not make this', 'See what it is, and move it away.');
  if (isUtf8(name as BytePath)) return found;
  const bytes = Buffer.concat([Buffer.from(`${directory}/`), encodePath(name as BytePath)]);
  return { ...found, whereBytes: bytes.toString('base64') };
}

function* checkRef(
  { host: { files } }: World,
  path: string,
  versionOf: (bytes: Buffer) => VersionId,
  versions: ReadonlyMap<VersionId, unknown>,
): Generator<Finding> {
  try {
    const bytes = readStoreFile(files, path);
    if (bytes === undefined || versions.has(versionOf(bytes))) return;
    yield finding('ref-damaged', path, 'it names no version', 'Write the id of a version and a newline to it.');
  } catch (error) {
    if (!isConfined(error)) throw error;
    yield finding('ref-damaged', path, error.message, RESTORE);
  }
}

function* checkDirectory(world: World, path: string, known: RegExp): Generator<Finding> {
  yield* checkNamesIn(path, namesIn(world, path), known);
}

function* checkNamesIn(path: string, names: readonly string[], known: RegExp): Generator<Finding> {
  for (const name of names) {
    if (!known.test(name)) yield unknownFile(path, name);
  }
}

/** What must be a file, or a directory, and is something else. @param files before @param directories. */
function* checkTypes(
  path: string,
  types: ReadonlyMap<string, EntryType>,
  files: RegExp,
  directories: RegExp,
): Generator<Finding> {
  for (const [name, type] of types) {
    const wanted = files.test(name) ? 'file' : directories.test(name) ? 'directory' : type;
    if (type === wanted) continue;
    yield { ...unknownFile(path, name), message: `it is ${describe({ type })}, and must be a ${wanted}` };
  }
}

function namesIn({ host: { files } }: World, path: string): string[] {
  return unlessGone<string[]>([], () => files.list(path)).sort();
}
