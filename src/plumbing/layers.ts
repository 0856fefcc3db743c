/** The layers of versions and containers, as absolute paths to mount or to read, and the checks of the bases under them. */

import { fingerprint } from '../layer/base.js';
import { formatRootfsPath } from '../layer/overlayfs.js';
import { missingLayer } from '../layer/tree.js';
import { LxcvError } from '../model/errors.js';
import { markerOf } from '../model/lxc-config.js';
import type { Base, Version, VersionId } from '../model/version.js';
import { type Container, lowersOf, type Versioned, type VersionedContainer } from '../store/containers.js';
import type { History } from '../store/history.js';
import { type RepositoryLayout, storeRoot, versionsIn } from '../store/layout.js';
import type { Context } from './context.js';
import { checkOtherStore } from './other-store.js';

/** The layers of a version's tree, top first. */
export function layersOfVersion(repository: RepositoryLayout, version: Pick<Version, 'chain' | 'bases'>): string[] {
  return [...version.chain.map((layer) => repository.layer(layer)), ...version.bases.map((base) => base.path)];
}

/** The layers that a container's work is compared with, top first: those of its HEAD. */
export function layersBefore({ layout, history }: Versions, head: VersionId | undefined): string[] {
  return head === undefined ? [] : layersOfVersion(layout, history.get(head));
}

/** The layers that a version is compared with, top first: those of its first parent or, of a first version, its bases. */
export function layersOfParent({ layout, history }: Versions, { parents: [parent], bases }: Version): string[] {
  return parent === undefined ? bases.map((base) => base.path) : layersOfVersion(layout, history.get(parent.id));
}

/** Of a repository, what the layers of its versions are found by. */
interface Versions {
  readonly layout: RepositoryLayout;
  readonly history: Pick<History, 'get'>;
}

/** The layers of what a container holds now, top first. */
export function layersOfContainer({ repository, layout, working }: Versioned): string[] {
  return [layout.delta, ...layersOfVersion(repository, { chain: working.lowers, bases: working.bases })];
}

/** The same for a reader: until the keyframe that replaces some of the mounted layers is made, those that are mounted. */
export function layersToRead({ host: { files } }: Context, versioned: Versioned): string[] {
  const layers = layersOfContainer(versioned);
  const { mounted, bases } = versioned.working;
  if (mounted === undefined || layers.every((path) => files.stat(path) !== undefined)) return layers;
  return [versioned.layout.delta, ...layersOfVersion(versioned.repository, { chain: mounted, bases })];
}

/** @throws LxcvError `store-damaged` where a layer of a version is gone. */
export function checkLayers({ host: { files } }: Context, repository: RepositoryLayout, { chain }: Version): void {
  for (const layer of chain) {
    const path = repository.layer(layer);
    if (files.stat(path)?.type !== 'directory') throw missingLayer(path);
  }
}

/**
 * Checks whether the bases are what they were; returns them as they are now.
 * @param accept takes a base that has changed as it is.
 * @throws LxcvError `base-missing`, `base-changed`, `base-running`: a program that runs on one changes it under all that stands on it.
 */
export function checkBases(context: Context, bases: readonly Base[], accept: boolean): Base[] {
  return bases.map((base) => {
    const now = fingerprint(context.host.files, base.path);
    if (now === undefined) throw missingLayer(base.path);
    const process = context.host.occupancy.rootProcess(base.path);
    if (process !== undefined) {
      throw new LxcvError(
        'base-running',
        `the base ${base.path} is the root of what runs there: process ${process.pid}, ${process.name}`,
        'Stop the container that it is the root file system of, and try again: lxc-ls --running',
      );
    }
    if (now !== base.fingerprint && !accept) {
      throw new LxcvError(
        'base-changed',
        `the base ${base.path} was changed since it became one`,
        'Undo that change, or take the base as it is now with --accept-base.',
      );
    }
    return { path: base.path, fingerprint: now };
  });
}

/** @throws LxcvError `container-edited` where a container's config mounts other layers than lxcv wrote. */
export function checkUnedited({ name, layout, rootfs, versioned }: VersionedContainer): void {
  const expected = lowersOf(versioned.repository, name, versioned.working);
  if (rootfs.kind === 'overlay' && rootfs.lowers.join(':') === expected.join(':')) return;
  throw new LxcvError(
    'container-edited',
    `lxc.rootfs.path in ${layout.config} was edited: it mounts other layers than lxcv wrote`,
    `Put it back: lxc.rootfs.path = ${formatRootfsPath(expected, versioned.layout.delta)}`,
  );
}

/**
 * Checks the config of a container that is on no working delta: one that still says that the container is versioned was
 * edited, and one that names a working delta of another store was copied or moved.
 * @throws LxcvError `container-edited`, `root-shared`.
 */
export function checkMarker(context: Context, { name, config, layout, rootfs }: Container): void {
  checkOtherStore(context, { name, rootfs, layout });
  const marker = markerOf(config);
  if (marker?.container !== name || !marker.repository.startsWith(`${storeRoot(context.host.files, context.lxcpath)}/`))
    return;
  if (context.host.files.stat(versionsIn(marker.repository)) === undefined) return;
  throw new LxcvError(
    'container-edited',
    `lxc.rootfs.path in ${layout.config} was edited: it no longer names the working delta in ${marker.repository}`,
    'Put the path back; or, to begin a new history with what it names now, remove the line "# lxcv: ...".',
  );
}
