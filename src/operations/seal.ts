/**
 * Seals versions: lists what their deltas hold, with a digest of every file. It is done when a version is there already, and can be
 * interrupted at any time; whatever is left is done with the next version, or by fsck.
 */

import { type Host, isErrno } from '../host/host.js';
import { sealDelta } from '../layer/seal.js';
import { SharedDigests } from '../layer/shared-digests.js';
import type { Job } from '../model/job.js';
import type { RepositoryName, Version } from '../model/version.js';
import { RepositoryLayout, storeRoot } from '../store/layout.js';
import { type Repository, readRepository } from './lookup.js';
import { runJob } from './run-job.js';
import type { World } from './world.js';

/** Seals all versions of a repository that are not sealed yet. Where another process is at that, it leaves them to it. */
export async function sealRepository(world: World, name: RepositoryName): Promise<void> {
  const layout = new RepositoryLayout(storeRoot(world.lxcpath), name);
  const lock = world.host.takeLock(layout.sealLock, `sealing (process ${process.pid})`);
  if (!lock.held) return;
  using _ = lock;
  const repository = readRepository(world, layout);
  const { history } = repository;
  const ids = [...history.ids()].filter((id) => world.host.files.stat(layout.version(id).entries) === undefined);
  for (const id of ids.sort((a, b) => history.numberOf(a) - history.numberOf(b))) {
    await sealVersion(world, repository, history.get(id));
  }
}

async function sealVersion(world: World, repository: Repository, version: Version): Promise<void> {
  try {
    await runJob(world, `sealing @${version.number}`, sealSharing(world.host, repository, version));
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EROFS')) throw error;
    world.report({ kind: 'notice', message: `@${version.number} is not sealed: ${(error as Error).message}` });
  }
}

/** A copy of a running container shares the files that did not change with the copy before it. */
function* sealSharing(
  { files, startDigestThread }: Host,
  { layout, history }: Repository,
  version: Version,
): Job<void> {
  const { entries, partialEntries: partial, delta } = layout.version(version.id);
  const [parent] = version.parents;
  const isShared = version.pause !== undefined && parent !== undefined && history.get(parent.id).pause !== undefined;
  const earlier = isShared ? layout.version(parent.id) : undefined;
  using known = earlier === undefined ? undefined : new SharedDigests(files, earlier.delta, earlier.entries);
  yield* sealDelta(files, delta, { partial, entries }, { known, startThread: startDigestThread });
}
