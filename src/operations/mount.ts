/** mount and umount: the tree of a version on a directory of the host, to be read and not to be written to. */

import { readOnlyMountOptions } from '../layer/overlayfs.js';
import { LxcvError } from '../model/errors.js';
import { consistently } from './consistently.js';
import { findRevision } from './find-revision.js';
import { checkBases, checkLayers, layersOfVersion } from './layers.js';
import { type NamedVersion, refsAt } from './lookup.js';
import type { World } from './world.js';

/** What mountinfo shows as the source of such a mount. */
const SOURCE = 'lxcv';

export interface MountRequest {
  /** `NAME[@REV]`. */
  readonly revision: string;
  /** An absolute path: an empty directory. */
  readonly directory: string;
  /** Takes a base that was changed as it is now. */
  readonly acceptBase: boolean;
}

/** @throws LxcvError `directory-in-use`, `base-changed`, and those of looking a revision up. */
export async function mountVersion(
  world: World,
  { revision, directory, acceptBase }: MountRequest,
): Promise<NamedVersion> {
  const { version, repository } = await consistently(world, (reading) => findRevision(reading, revision));
  checkLayers(world, repository.layout, version);
  checkBases(world, version.bases, acceptBase);
  const { files, mounts } = world.host;
  const found = files.stat(directory);
  if (found?.type !== 'directory' || files.list(directory).length > 0) {
    throw new LxcvError(
      'directory-in-use',
      `${directory} is no empty directory`,
      found !== undefined ? 'Choose one that is empty, and no symbolic link.' : `Make it: mkdir -p ${directory}`,
    );
  }
  const layers = [...layersOfVersion(repository.layout, version), repository.layout.empty];
  mounts.mount(SOURCE, directory, readOnlyMountOptions(layers));
  return { version, refs: refsAt(repository, version.id) };
}

/** @throws LxcvError `not-mounted` where no `lxcv mount` made what is mounted there. */
export async function unmountVersion({ host: { mounts } }: World, directory: string): Promise<void> {
  const source = mounts.mountSource(directory);
  if (source !== SOURCE) {
    throw new LxcvError(
      'not-mounted',
      source === undefined
        ? `nothing is mounted on ${directory}`
        : `what is mounted on ${directory} was not mounted by lxcv`,
      'findmnt -t overlay shows what is mounted where.',
    );
  }
  mounts.unmount(directory);
}
