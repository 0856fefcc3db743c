/** mount and umount: the tree of a version on a directory of the host, to be read and not to be written to. */

import { readOnlyMountOptions } from '../layer/overlayfs.js';
import { LxcvError } from '../model/errors.js';
import type { Context } from '../plumbing/context.js';
import { findRevision } from '../plumbing/find-revision.js';
import { checkBases, checkLayers, layersOfVersion } from '../plumbing/layers.js';
import { type NamedVersion, refsAt } from '../plumbing/lookup.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';

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

/** @throws LxcvError `directory-in-use`, `base-changed`, and those of resolving a revision. */
export async function mountVersion(
  context: Context,
  { revision, directory, acceptBase }: MountRequest,
): Promise<NamedVersion> {
  const { version, repository } = await retryUntilStable(context, (reading) => findRevision(reading, revision));
  checkLayers(context, repository.layout, version);
  checkBases(context, version.bases, acceptBase);
  const { files, mounts } = context.host;
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
export async function unmountVersion({ host: { mounts } }: Context, directory: string): Promise<void> {
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
