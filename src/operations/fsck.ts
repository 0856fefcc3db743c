/**
 * fsck: verifies the store. It changes nothing but for finishing what a crash left pending, as every
 * command does. What it finds are values; it throws only where it cannot check.
 */

import { dirname } from 'node:path';
import { fingerprint } from '../layer/base.js';
import { findUnsupported } from '../layer/delta.js';
import { tellPath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { type Finding, finding, RESTORE } from '../model/finding.js';
import { gather } from '../model/job.js';
import { decodeManifest, digestManifest } from '../model/manifest.js';
import { isVersionId } from '../model/names.js';
import type { ContainerName, RepositoryName, Version, VersionId } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { isConfined, openForReading } from '../plumbing/lookup.js';
import { onMissing } from '../plumbing/missing.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';
import { runJob } from '../plumbing/run-job.js';
import type { IncludeCache } from '../store/containers.js';
import { RepositoryLayout, storeRoot } from '../store/layout.js';
import { clonesIn } from '../store/lxc-layout.js';
import { readClones } from '../store/other-configs.js';
import { listMisplaced, listRepositories } from '../store/store.js';
import { readStoreFile } from '../store/store-file.js';
import { toldUnfinished, touchedBy } from '../store/unfinished.js';
import { checkContainers, checkOtherContainers } from './fsck-containers.js';
import {
  checkNames,
  checkRefs,
  checkStagedContainers,
  checkStoreNames,
  type Listings,
  layersIn,
  listVersions,
  typeIn,
} from './fsck-names.js';

const TRIES_MAX = 20;
const CHECK_AGAIN_MS = 50;

/**
 * Each repository by itself: an error in one is a finding, and the others are checked all the same.
 * @param name of a repository; all of them without it.
 * @throws LxcvError `repository-not-found`.
 */
export async function fsck(context: Context, name: RepositoryName | undefined): Promise<Finding[]> {
  const { host, lxcpath } = context;
  const store = storeRoot(host.files, lxcpath);
  const names = name === undefined ? [...listRepositories(host, lxcpath), ...listMisplaced(host, lxcpath)] : [name];
  const shared: Shared = {
    includes: new Map(),
    fingerprints: new Map(),
    checked: new Set(),
    seen: new Set(),
    directories: new Set(),
    deltas: [],
    touched: [],
  };
  const findings: Finding[] = [];
  for (const repository of names) {
    const found = await checkConfined(name === undefined ? { ...context, store } : context, repository, shared);
    if (found === undefined && name !== undefined) {
      throw new LxcvError('repository-not-found', `there is no repository ${name}`, 'lxcv list shows what there is.');
    }
    findings.push(...(found ?? []));
  }
  const others = [
    ...checkMounts(context, shared.deltas),
    ...(await thatStays(context, () => [
      ...(name === undefined ? [...checkStoreNames(context), ...findMissing(context, shared)] : []),
      ...checkOtherContainers(context, shared),
      ...checkStagedContainers(context),
    ])),
  ];
  return [...findings, ...others.filter((each) => !isTouched(shared.touched, each.where))];
}

/** What belongs to no repository may be another lxcv's, at work: it is a finding where it stays. */
async function thatStays({ host }: Context, find: () => readonly Finding[]): Promise<readonly Finding[]> {
  let found = find();
  for (let tries = 1; found.length > 0 && tries < TRIES_MAX; tries += 1) {
    await host.sleep(CHECK_AGAIN_MS);
    const still = new Set(find().map((each) => JSON.stringify(each)));
    found = found.filter((each) => still.has(JSON.stringify(each)));
  }
  return found;
}

function findMissing(context: Context, { seen, includes }: Shared): Finding[] {
  return Array.from(onMissing(context, seen, includes), ({ repository, error: { message, hint } }) =>
    finding('repository-unreadable', repository.root, message, hint),
  );
}

/** What is read once, whatever the number of repositories. */
interface Shared {
  readonly includes: IncludeCache;
  /** Of bases, by their paths. */
  readonly fingerprints: Map<string, string | undefined>;
  readonly checked: Set<RepositoryName>;
  /** The containers that were checked with their repositories. */
  readonly seen: Set<ContainerName>;
  /** The layers that are there. */
  readonly directories: Set<string>;
  /** Of all versions. */
  readonly deltas: string[];
  /** What pending operations have yet to change. */
  readonly touched: string[];
}

/** @returns undefined where there is no such repository. */
async function checkConfined(context: Context, name: RepositoryName, shared: Shared): Promise<Finding[] | undefined> {
  try {
    return await retryUntilStable(context, (reading) => checkOpen(reading, name, shared), 'ignored');
  } catch (error) {
    if (!isConfined(error)) throw error;
    const { root } = new RepositoryLayout(storeRoot(context.host.files, context.lxcpath), name);
    const hint = error instanceof LxcvError ? error.hint : RESTORE;
    const isPending = error instanceof LxcvError && error.code === 'operation-pending';
    return [finding(isPending ? 'operation-pending' : 'repository-unreadable', root, error.message, hint)];
  }
}

async function checkOpen(context: Context, name: RepositoryName, shared: Shared): Promise<Finding[] | undefined> {
  const open = openForReading(context, name);
  if (open === undefined) return undefined;
  const { layout, unfinished } = open;
  const checking = gather(checkRepository(context, layout, shared));
  const found = await runJob(context, `checking ${name}`, checking);
  shared.checked.add(name);
  if (unfinished === undefined) return found;
  // What a pending operation has yet to change is not damaged.
  const touched = touchedBy(unfinished.operation);
  shared.touched.push(...touched);
  const { message, hint } = toldUnfinished(layout, unfinished);
  const pending = finding('operation-pending', layout.operations, message, hint);
  return [pending, ...found.filter(({ where }) => !isTouched(touched, where))];
}

/** What is found, as it is found; undefined is a place to yield. */
type Findings = Generator<Finding | undefined, void>;

function* checkRepository(context: Context, layout: RepositoryLayout, shared: Shared): Findings {
  const { files } = context.host;
  const versions: Versions = new Map();
  const listings = listVersions(files, layout);
  for (const path of layersIn(files, layout, listings)) shared.directories.add(path);
  for (const id of listings.keys()) {
    if (isVersionId(id)) yield* readVersion(context, layout, id, listings, versions);
  }
  yield* checkNames(context, layout, listings);
  yield* checkGraph(layout, versions);
  for (const { version } of versions.values()) {
    shared.deltas.push(layout.version(version.id).delta);
    yield* checkVersion(context, layout, version, listings, shared.directories);
    yield;
  }
  yield* checkBases(context, layout, versions, shared.fingerprints);
  yield* checkRefs(context, layout, versions);
  yield* checkContainers(context, layout, versions, shared);
}

/** The versions that could be read, each with the bytes of its manifest. */
type Versions = Map<VersionId, { readonly version: Version; readonly manifest: Buffer }>;

/** Reads a version into `versions`; a directory that is none is a working delta, or what gc takes. */
function* readVersion(
  context: Context,
  layout: RepositoryLayout,
  id: VersionId,
  listings: Listings,
  versions: Versions,
): Findings {
  const { manifest } = layout.version(id);
  const type = typeIn(listings, id, manifest);
  if (type === undefined) return;
  try {
    const bytes = readStoreFile(context.host.files, manifest, type);
    if (bytes === undefined) return;
    const version = decodeManifest(bytes, manifest);
    if (version.id !== id || version.repository !== layout.name) {
      yield finding('manifest-damaged', manifest, 'it is the manifest of another version', RESTORE);
      return;
    }
    versions.set(id, { version, manifest: bytes });
  } catch (error) {
    if (!isConfined(error)) throw error;
    yield finding('manifest-damaged', manifest, error.message, RESTORE);
  }
}

function* checkGraph(layout: RepositoryLayout, versions: Versions): Findings {
  const numbers = new Map<number, VersionId>();
  for (const { version } of versions.values()) {
    const { manifest } = layout.version(version.id);
    const other = numbers.get(version.number);
    if (other !== undefined)
      yield finding('number-repeated', manifest, `${other} has the number ${version.number} too`, RESTORE);
    numbers.set(version.number, version.id);
    for (const parent of version.parents) {
      const bytes = versions.get(parent.id)?.manifest;
      if (bytes === undefined) yield finding('history-forged', manifest, `its parent ${parent.id} is missing`, RESTORE);
      else if (digestManifest(bytes) !== parent.digest) {
        yield finding(
          'history-forged',
          manifest,
          `its parent ${parent.id} is not what it was when this was made`,
          RESTORE,
        );
      }
    }
  }
}

function* checkVersion(
  context: Context,
  repository: RepositoryLayout,
  version: Version,
  listings: Listings,
  directories: Set<string>,
): Findings {
  const { files } = context.host;
  const layout = repository.version(version.id);
  const typeOf = (path: string) => typeIn(listings, version.id, path);
  for (const layer of version.chain) {
    const path = repository.layer(layer);
    if (directories.has(path)) continue;
    if (files.stat(path)?.type === 'directory') directories.add(path);
    else yield finding('layer-missing', path, `@${version.number} stands on it`, RESTORE);
  }
  if (typeOf(layout.config) !== 'file') yield finding('layer-missing', layout.config, 'the config is gone', RESTORE);
  if (typeOf(layout.work) !== 'file' || typeOf(layout.working) !== undefined) {
    yield finding(
      'delta-open',
      layout.work,
      'this version could be mounted for writing',
      `Make it an empty file: ${layout.work}`,
    );
  }
  const unsupported = typeOf(layout.delta) === 'directory' ? yield* findUnsupported(files, layout.delta) : undefined;
  if (unsupported !== undefined) {
    yield finding('delta-not-keepable', layout.delta, `${tellPath(unsupported.path)} ${unsupported.reason}`, RESTORE);
  }
}

/** The kernel is asked of all at once: each question takes as long as checking a repository. */
function checkMounts({ host, lxcpath }: Context, deltas: readonly string[]): Finding[] {
  const message = 'something has this version mounted for writing';
  const hint = 'Unmount it, and compare the version with a backup.';
  const open = host.mounts.uppersInUse(deltas, storeRoot(host.files, lxcpath));
  return Array.from(open, (delta) => finding('delta-open', delta, message, hint));
}

function* checkBases(
  context: Context,
  layout: RepositoryLayout,
  versions: Versions,
  known: Shared['fingerprints'],
): Findings {
  const { files } = context.host;
  const wanted = new Map<string, Set<string>>();
  for (const { version } of versions.values()) {
    for (const { path, fingerprint: print } of version.bases)
      wanted.set(path, (wanted.get(path) ?? new Set()).add(print));
  }
  for (const [path, prints] of wanted) {
    const now = known.has(path) ? known.get(path) : fingerprint(files, path);
    known.set(path, now);
    if (now === undefined) yield finding('base-missing', path, 'a base is gone', 'Bring it back from a backup.');
    else if ([...prints].some((print) => print !== now)) {
      yield finding(
        'base-changed',
        path,
        'a base is not what it was for some version',
        'Undo the change; --accept-base lives with it.',
      );
    }
    const clones = clonesIn(dirname(path));
    const isContainer = files.stat(`${dirname(path)}/config`) !== undefined;
    const entry = `${layout.storeRoot}\n${layout.name}\n`;
    if (isContainer && !readClones(files, clones).includes(entry)) {
      yield finding(
        'base-unprotected',
        clones,
        'it does not name the repository, so lxc-destroy would take the base',
        `Append two lines: ${layout.storeRoot} and ${layout.name}`,
      );
    }
  }
}

function isTouched(touched: readonly string[], where: string): boolean {
  return touched.some((path) => where === path || where.startsWith(`${path}/`));
}
