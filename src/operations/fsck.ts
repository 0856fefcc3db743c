/**
 * fsck: looks whether the store keeps its promises. It changes nothing but for finishing what a crash left pending, as every
 * command does. What it finds are values; it throws only where it cannot look.
 */

import { fingerprint } from '../layer/base.js';
import { findUnkept } from '../layer/delta.js';
import { tellPath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { gather } from '../model/job.js';
import { decodeManifest, digestManifest } from '../model/manifest.js';
import { isVersionId } from '../model/names.js';
import type { RepositoryName, Version, VersionId } from '../model/version.js';
import type { RepositoryLayout } from '../store/layout.js';
import { isLeftPending, listRepositories, openRepository } from '../store/store.js';
import { type Finding, finding, RESTORE } from './finding.js';
import { checkContainers } from './fsck-containers.js';
import { checkNames, checkRefs } from './fsck-names.js';
import { runJob } from './run-job.js';
import type { World } from './world.js';

/** @param name of a repository; all of them without it. @throws LxcvError `repository-not-found`. */
export async function fsck(world: World, name: RepositoryName | undefined): Promise<Finding[]> {
  const names = name === undefined ? listRepositories(world.host, world.lxcpath) : [name];
  const findings: Finding[] = [];
  for (const repository of names) {
    const layout = openRepository(world.host, world.lxcpath, repository);
    if (layout !== undefined) {
      findings.push(...(await runJob(world, `checking ${repository}`, gather(checkRepository(world, layout)))));
    } else if (name !== undefined) {
      throw new LxcvError('repository-not-found', `there is no repository ${name}`, 'lxcv list shows what there is.');
    }
  }
  return findings;
}

/** What is found, as it is found; undefined is a place to breathe. */
type Findings = Generator<Finding | undefined, void>;

function* checkRepository(world: World, layout: RepositoryLayout): Findings {
  const { files } = world.host;
  if (isLeftPending(world.host, layout)) {
    yield finding(
      'operation-pending',
      layout.operations,
      'an operation is neither done nor taken back',
      'Run lxcv again when no other lxcv is at work.',
    );
  }
  const versions = new Map<VersionId, { version: Version; digest: string }>();
  for (const id of files.list(layout.versions) as string[]) {
    if (isVersionId(id)) yield* readVersion(world, layout, id, versions);
  }
  yield* checkNames(world, layout);
  yield* checkGraph(layout, versions);
  const deltas = [...versions.keys()].map((id) => layout.version(id).delta);
  const uppers = world.host.mounts.uppersInUse(deltas, layout.storeRoot);
  for (const { version } of versions.values()) {
    yield* checkVersion(world, layout, version, uppers);
    yield;
  }
  yield* checkBases(world, layout, versions);
  yield* checkRefs(world, layout, versions);
  yield* checkContainers(world, layout, versions);
}

/** Reads a version into `versions`; a directory that is none is a working delta, or what gc takes. */
function* readVersion(
  world: World,
  layout: RepositoryLayout,
  id: VersionId,
  versions: Map<VersionId, { version: Version; digest: string }>,
): Findings {
  const { manifest } = layout.version(id);
  const bytes = world.host.files.readIfPresent(manifest);
  if (bytes === undefined) return;
  try {
    const version = decodeManifest(bytes, manifest);
    if (version.id !== id || version.repository !== layout.name) {
      yield finding('manifest-damaged', manifest, 'it is the manifest of another version', RESTORE);
      return;
    }
    versions.set(id, { version, digest: digestManifest(bytes) });
  } catch (error) {
    if (!(error instanceof LxcvError)) throw error;
    yield finding('manifest-damaged', manifest, error.message, RESTORE);
  }
}

function* checkGraph(
  layout: RepositoryLayout,
  versions: ReadonlyMap<VersionId, { version: Version; digest: string }>,
): Findings {
  const numbers = new Map<number, VersionId>();
  for (const { version } of versions.values()) {
    const { manifest } = layout.version(version.id);
    const other = numbers.get(version.number);
    if (other !== undefined)
      yield finding('number-repeated', manifest, `${other} has the number ${version.number} too`, RESTORE);
    numbers.set(version.number, version.id);
    for (const parent of version.parents) {
      const digest = versions.get(parent.id)?.digest;
      if (digest === undefined)
        yield finding('history-forged', manifest, `its parent ${parent.id} is missing`, RESTORE);
      else if (digest !== parent.digest) {
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
  world: World,
  repository: RepositoryLayout,
  version: Version,
  uppers: ReadonlySet<string>,
): Findings {
  const { files } = world.host;
  const layout = repository.version(version.id);
  for (const layer of version.chain) {
    const path = repository.layer(layer);
    if (files.stat(path)?.type !== 'directory')
      yield finding('layer-missing', path, `@${version.number} stands on it`, RESTORE);
  }
  if (files.stat(layout.config) === undefined)
    yield finding('layer-missing', layout.config, 'the config is gone', RESTORE);
  if (uppers.has(layout.delta)) {
    yield finding(
      'delta-open',
      layout.delta,
      'something has this version mounted for writing',
      'Unmount it, and compare the version with a backup.',
    );
  }
  if (files.stat(layout.work)?.type !== 'file' || files.stat(layout.working) !== undefined) {
    yield finding(
      'delta-open',
      layout.work,
      'this version could be mounted for writing',
      `Make it an empty file: ${layout.work}`,
    );
  }
  const unkept = files.stat(layout.delta) === undefined ? undefined : yield* findUnkept(files, layout.delta);
  if (unkept !== undefined) {
    yield finding('delta-not-keepable', layout.delta, `${tellPath(unkept.path)} ${unkept.reason}`, RESTORE);
  }
}

function* checkBases(
  world: World,
  layout: RepositoryLayout,
  versions: ReadonlyMap<VersionId, { version: Version; digest: string }>,
): Findings {
  const { files } = world.host;
  const wanted = new Map<string, Set<string>>();
  for (const { version } of versions.values()) {
    for (const { path, fingerprint: print } of version.bases)
      wanted.set(path, (wanted.get(path) ?? new Set()).add(print));
  }
  for (const [path, prints] of wanted) {
    const now = fingerprint(files, path);
    if (now === undefined) yield finding('base-missing', path, 'a base is gone', 'Bring it back from a backup.');
    else if ([...prints].some((print) => print !== now)) {
      yield finding(
        'base-changed',
        path,
        'a base is not what it was for some version',
        'Undo the change; --accept-base lives with it.',
      );
    }
    const clones = path.replace(/\/[^/]*$/, '/lxc_snapshots');
    const isContainer = files.stat(path.replace(/\/[^/]*$/, '/config')) !== undefined;
    const entry = `${layout.storeRoot}\n${layout.name}\n`;
    if (isContainer && !(files.readIfPresent(clones)?.toString('utf8') ?? '').includes(entry)) {
      yield finding(
        'base-unprotected',
        clones,
        'it does not name the repository, so lxc-destroy would take the base',
        `Append two lines: ${layout.storeRoot} and ${layout.name}`,
      );
    }
  }
}
