/** The part of fsck that looks at containers: whether what their configs name is there, and is what lxcv wrote. */

import type { VersionId } from '../model/version.js';
import { type Container, listContainers, lowersOf, readContainer } from '../store/containers.js';
import type { ContainerLayout, RepositoryLayout } from '../store/layout.js';
import { type Finding, finding, RESTORE } from './finding.js';
import { unknownFile } from './fsck-names.js';
import { layersOfContainer } from './layers.js';
import type { World } from './world.js';

export function* checkContainers(
  world: World,
  layout: RepositoryLayout,
  versions: ReadonlyMap<VersionId, unknown>,
): Generator<Finding> {
  for (const name of listContainers(world.host, world.lxcpath)) {
    const container = readContainer(world.host, world.lxcpath, name);
    if (container?.lost?.root.startsWith(`${layout.root}/`)) {
      yield finding(
        'container-damaged',
        container.layout.config,
        'the store has no record of its working delta',
        RESTORE,
      );
    }
    if (container?.versioned?.repository.name === layout.name) yield* checkContainer(world, container, versions);
  }
}

function* checkContainer(
  world: World,
  { name, layout, rootfs, versioned }: Container,
  versions: ReadonlyMap<VersionId, unknown>,
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
    if (world.host.files.statTarget(path)?.type !== 'directory') {
      yield finding('layer-missing', path, `the container ${name} stands on it`, RESTORE);
    }
  }
  for (const head of working.parents) {
    if (!versions.has(head))
      yield finding('container-damaged', versioned.layout.working, `its HEAD ${head} is no version`, RESTORE);
  }
  for (const path of stagedConfigsOf(layout)) {
    if (world.host.files.stat(path) !== undefined) yield unknownFile(path);
  }
}

/** All that a replacement of a config can have beside it. */
function stagedConfigsOf({ stagedConfig, finalConfig }: ContainerLayout): string[] {
  return [stagedConfig, finalConfig].flatMap((path) => [path, `${path}-edited`]);
}
