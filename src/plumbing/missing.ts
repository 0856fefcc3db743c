/** Finds containers that stand on a repository of which nothing is left in the store. */

import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { type IncludeCache, listContainers, readContainer } from '../store/containers.js';
import { parseUpper, RepositoryLayout, storeRoot } from '../store/layout.js';
import type { Context } from './context.js';
import { isConfined } from './lookup.js';

export interface OnMissing {
  readonly container: ContainerName;
  readonly repository: RepositoryLayout;
  /** `store-damaged`. */
  readonly error: LxcvError;
}

/** @param known containers that stand on repositories that are there: they are not checked. */
export function* onMissing(
  { host, lxcpath }: Context,
  known: ReadonlySet<ContainerName>,
  includes: IncludeCache,
): Generator<OnMissing> {
  const root = storeRoot(host.files, lxcpath);
  for (const container of listContainers(host, lxcpath, known)) {
    const rootfs = readIfWhole(host, lxcpath, container, includes, root)?.rootfs;
    const place = rootfs?.kind === 'overlay' ? parseUpper(root, rootfs.upper) : undefined;
    if (place === undefined) continue;
    const repository = new RepositoryLayout(root, place.repository);
    const { type } = host.files.stat(repository.root) ?? {};
    // Anything else that lies there is reported for the repository itself.
    if (type !== undefined && type !== 'directory') continue;
    if (host.files.stat(repository.versions) !== undefined) continue;
    yield {
      container,
      repository,
      error: new LxcvError(
        'store-damaged',
        `${type === undefined ? repository.root : repository.versions} is gone, and the container ${container} stands on it`,
        'Restore it from a backup of the store; without it, LXC cannot start the container.',
      ),
    };
  }
}

/** undefined for one that cannot be read: fsck reports that. */
function readIfWhole(...container: Parameters<typeof readContainer>) {
  try {
    return readContainer(...container);
  } catch (error) {
    if (isConfined(error)) return undefined;
    throw error;
  }
}
