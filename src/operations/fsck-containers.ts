/** The part of fsck that checks containers: whether what their configs name is there, and is what lxcv wrote. */

import { basename } from 'node:path';
import { LxcvError } from '../model/errors.js';
import { type Finding, finding, RESTORE } from '../model/finding.js';
import type { ContainerName, RepositoryName, VersionId } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { layersOfContainer } from '../plumbing/layers.js';
import { isConfined, readUsers } from '../plumbing/lookup.js';
import { type Container, type IncludeCache, listContainers, lowersOf, readContainer } from '../store/containers.js';
import { RepositoryLayout, storeRoot } from '../store/layout.js';
import { ContainerLayout } from '../store/lxc-layout.js';
import { listTyped, unknownFile } from './fsck-names.js';

/** Of one repository. @param shared `seen` takes up which containers these are, and `directories` what layers are there. */
export function* checkContainers(
  context: Context,
  layout: RepositoryLayout,
  versions: ReadonlyMap<VersionId, unknown>,
  {
    includes,
    seen,
    directories,
  }: {
    readonly includes: IncludeCache;
    readonly seen: Set<ContainerName>;
    readonly directories: Set<string>;
  },
): Generator<Finding> {
  const { containers, unreadable } = readUsers(context, layout, includes);
  for (const container of containers) {
    seen.add(container.name);
    yield* checkContainer(context, container, versions, directories);
  }
  for (const { container, error } of unreadable) {
    seen.add(container);
    const { config } = new ContainerLayout(context.lxcpath, container);
    yield finding('container-damaged', config, error.message, error instanceof LxcvError ? error.hint : RESTORE);
  }
}

/** The containers that no repository has a guard of, though they stand on one that was checked. */
export function* checkOtherContainers(
  context: Context,
  {
    checked,
    includes,
    seen,
  }: {
    readonly checked: Iterable<RepositoryName>;
    readonly includes: IncludeCache;
    readonly seen: ReadonlySet<ContainerName>;
  },
): Generator<Finding> {
  const store = storeRoot(context.host.files, context.lxcpath);
  const roots = Array.from(checked, (name) => new RepositoryLayout(store, name).root);
  for (const name of listContainers(context.host, context.lxcpath, seen)) {
    try {
      const { layout, versioned, lost } = readContainer(context.host, context.lxcpath, name, includes) ?? {};
      const place = versioned?.layout ?? lost;
      if (layout === undefined || !roots.some((root) => place?.root.startsWith(`${root}/`))) continue;
      // It was made since its repository was checked.
      if (versioned !== undefined && context.host.files.stat(versioned.repository.guard(name)) !== undefined) continue;
      const message = lost ? 'the store has no record of its working delta' : 'its guard is gone from the store';
      yield finding('container-damaged', layout.config, message, RESTORE);
    } catch (error) {
      if (!isConfined(error)) throw error;
      const { config } = new ContainerLayout(context.lxcpath, name);
      yield finding('container-damaged', config, error.message, error instanceof LxcvError ? error.hint : RESTORE);
    }
  }
}

function* checkContainer(
  context: Context,
  { name, layout, rootfs, versioned }: Container,
  versions: ReadonlyMap<VersionId, unknown>,
  directories: Set<string>,
): Generator<Finding> {
  if (versioned === undefined) return;
  const { repository, working } = versioned;
  const lowers = lowersOf(repository, name, working);
  if (rootfs.kind === 'overlay' && rootfs.lowers.join(':') !== lowers.join(':')) {
    yield finding(
      'container-edited',
      layout.config,
      'it mounts other layers than lxcv wrote',
      `lowers: ${lowers.join(':')}`,
    );
  }
  for (const path of new Set([...layersOfContainer(versioned), ...lowers])) {
    if (directories.has(path)) continue;
    if (context.host.files.statTarget(path)?.type === 'directory') directories.add(path);
    else yield finding('layer-missing', path, `the container ${name} stands on it`, RESTORE);
  }
  for (const head of working.parents) {
    if (!versions.has(head))
      yield finding('container-damaged', versioned.layout.working, `its HEAD ${head} is no version`, RESTORE);
  }
  const names = listTyped(context.host.files, `${layout.root}/.`);
  for (const path of layout.stagedConfigs) {
    if (names.has(basename(path))) yield unknownFile(layout.root, basename(path));
  }
}
