/** The part of fsck that checks names: what lies in a repository, and is none of lxcv's. */

import { basename } from 'node:path';
import { type FilesRead, isSystemError, unlessGone } from '../host/files.js';
import { type BytePath, bytesToText, encodePath, isUtf8 } from '../model/byte-path.js';
import type { EntryType } from '../model/entry.js';
import { type Finding, finding, RESTORE } from '../model/finding.js';
import { isRepositoryName, isVersionId } from '../model/names.js';
import { decodeTag } from '../model/tag.js';
import type { TagName, VersionId } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { isConfined } from '../plumbing/lookup.js';
import { KNOWN_NAMES, type KnownNames, LAYER_NAME } from '../store/known-names.js';
import { isOfStore, RepositoryLayout, storeFile, storeRoot } from '../store/layout.js';
import { isStagedContainer } from '../store/lxc-layout.js';
import { readSetAside } from '../store/set-aside.js';
import { listRepositories } from '../store/store.js';
import { describe, readStoreFile } from '../store/store-file.js';

/** What lies in the directories of versions and working deltas, by their names: each is listed once. */
export type Listings = ReadonlyMap<string, ReadonlyMap<string, EntryType>>;

export function listVersions(files: FilesRead, { versions }: RepositoryLayout): Listings {
  return new Map((files.list(versions) as string[]).map((id) => [id, listTyped(files, `${versions}/${id}`)]));
}

/** The directories that are there, and can be layers: of versions, of working deltas, and the guards. */
export function* layersIn(files: FilesRead, layout: RepositoryLayout, listings: Listings): Generator<string> {
  const { versions, guards } = layout;
  for (const [name, type] of listTyped(files, guards)) if (type === 'directory') yield `${guards}/${name}`;
  for (const [id, types] of listings) {
    for (const [name, type] of types) {
      if (type === 'directory' && LAYER_NAME.test(name)) yield `${versions}/${id}/${name}`;
    }
  }
}

/** Nothing of what is no directory. */
export function listTyped(files: FilesRead, path: string): ReadonlyMap<string, EntryType> {
  return unlessGone<ReadonlyMap<string, EntryType>>(new Map(), () => files.listTyped(path));
}

/** What is at a path directly below the directory of a version or working delta, if something is. */
export function typeIn(listings: Listings, id: VersionId, path: string): EntryType | undefined {
  return listings.get(id)?.get(basename(path));
}

/** What no operation of lxcv's leaves behind. Directories under `versions` that are neither version nor working delta are gc's. */
export function* checkNames(context: Context, layout: RepositoryLayout, listings: Listings): Generator<Finding> {
  const { files } = context.host;
  const refs = layout.refs;
  const names = listTyped(files, layout.root);
  yield* checkListing(layout.root, names, KNOWN_NAMES.repository);
  yield* checkListing(refs, listTyped(files, refs), KNOWN_NAMES.refs);
  for (const [id, types] of sorted(listings)) {
    const { root, manifest, working } = layout.version(id as VersionId);
    if (!isVersionId(id)) yield unknownFile(layout.versions, id);
    else if (types.has(basename(manifest))) yield* checkListing(root, types, KNOWN_NAMES.version);
    else if (types.has(basename(working))) yield* checkListing(root, types, KNOWN_NAMES.working);
  }
  if (names.has(basename(layout.asides))) yield* checkAsides(context, layout);
}

/** The same beside the containers, of all repositories; nothing while another lxcv is at work, which may be about to take it away. */
export function* checkStagedContainers(context: Context): Generator<Finding> {
  const names = namesIn(context, context.lxcpath).filter(isStagedContainer);
  if (names.length > 0 && isAtWork(context)) return;
  for (const name of names) yield unknownFile(context.lxcpath, name);
}

/** Names in the store that no repository can have. A file system that is mounted there has a directory of its own. */
export function* checkStoreNames({ host: { files }, lxcpath }: Context): Generator<Finding> {
  const root = storeRoot(files, lxcpath);
  if (files.stat(storeFile(root)) === undefined) return;
  for (const [name] of sorted(listTyped(files, `${root}/.`))) {
    if (isRepositoryName(name) || isOfStore(name) || name === 'lost+found') continue;
    yield unknownFile(root, name);
  }
}

/** Whether another lxcv has any repository locked. */
function isAtWork({ host, lxcpath }: Context): boolean {
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

function* checkAsides(context: Context, layout: RepositoryLayout): Generator<Finding> {
  for (const id of namesIn(context, layout.asides)) {
    const path = layout.aside(id as VersionId);
    const { delta } = layout.version(id as VersionId);
    if (!isVersionId(id)) yield unknownFile(layout.asides, id);
    else if (context.host.files.stat(delta)?.type !== 'directory') {
      yield finding('layer-missing', delta, 'what was set aside there is gone', RESTORE);
    } else {
      yield* checkAside(context, path);
    }
  }
}

function* checkAside({ host: { files } }: Context, path: string): Generator<Finding> {
  try {
    readSetAside(files, path);
  } catch (error) {
    if (!isConfined(error)) throw error;
    yield finding('container-damaged', path, error.message, RESTORE);
  }
}

export function* checkRefs(
  context: Context,
  layout: RepositoryLayout,
  versions: ReadonlyMap<VersionId, unknown>,
): Generator<Finding> {
  const { files } = context.host;
  for (const [name, type] of sorted(listTyped(files, layout.branches))) {
    const path = `${layout.branches}/${name}`;
    if (!isRepositoryName(name)) yield unknownFile(layout.branches, name);
    else yield* checkRef(context, path, type, (bytes) => bytes.toString('utf8').trimEnd() as VersionId, versions);
  }
  for (const [name, type] of sorted(listTyped(files, layout.tags))) {
    const path = layout.tag(name as TagName);
    if (!isRepositoryName(name)) yield unknownFile(layout.tags, name);
    else yield* checkRef(context, path, type, (bytes) => decodeTag(bytes, path).version, versions);
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
  { host: { files } }: Context,
  path: string,
  type: EntryType,
  versionOf: (bytes: Buffer) => VersionId,
  versions: ReadonlyMap<VersionId, unknown>,
): Generator<Finding> {
  try {
    const bytes = readStoreFile(files, path, type);
    if (bytes === undefined || versions.has(versionOf(bytes))) return;
    yield finding('ref-damaged', path, 'it names no version', 'Write the id of a version and a newline to it.');
  } catch (error) {
    if (!isConfined(error)) throw error;
    yield finding('ref-damaged', path, error.message, RESTORE);
  }
}

/** Names that are not known, and what must be a file or a directory and is something else. */
function* checkListing(
  path: string,
  types: ReadonlyMap<string, EntryType>,
  { files, directories, others }: KnownNames,
): Generator<Finding> {
  const wantedOf = (name: string) => (files.test(name) ? 'file' : directories.test(name) ? 'directory' : undefined);
  const strange = [...types].filter(([name, type]) => !others.test(name) && type !== wantedOf(name));
  for (const [name, type] of sorted(strange)) {
    const wanted = wantedOf(name);
    const found = unknownFile(path, name);
    yield wanted === undefined ? found : { ...found, message: `it is ${describe({ type })}, and must be a ${wanted}` };
  }
}

/** By their names. */
function sorted<T>(named: Iterable<readonly [string, T]>): (readonly [string, T])[] {
  return [...named].sort(([a], [b]) => (a < b ? -1 : 1));
}

function namesIn({ host: { files } }: Context, path: string): string[] {
  return unlessGone<string[]>([], () => files.list(path)).sort();
}
