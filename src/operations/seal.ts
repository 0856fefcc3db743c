/**
 * Seals versions: lists what their deltas hold, with a digest of every file. It is done when a version is there already, and can be
 * interrupted at any time; whatever is left is done with the next version, or by fsck.
 */

import type { Host } from '../host/host.js';
import { sealDelta } from '../layer/seal.js';
import { SharedDigests } from '../layer/shared-digests.js';
import type { Job } from '../model/job.js';
import type { RepositoryName, Version, VersionId } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { isConfined, type Repository, readRepository } from '../plumbing/lookup.js';
import { runJob } from '../plumbing/run-job.js';
import { RepositoryLayout, storeRoot } from '../store/layout.js';

/**
 * Seals all versions of a repository that are not sealed yet. Where another process is at that, it leaves them to it. What keeps one
 * from being sealed, a bad sector under a file of it, say, is reported, and does not keep the others from being sealed.
 */
export async function sealRepository(context: Context, name: RepositoryName): Promise<void> {
  try {
    await sealAll(context, new RepositoryLayout(storeRoot(context.host.files, context.lxcpath), name));
  } catch (error) {
    if (!isConfined(error)) throw error;
    context.report({ kind: 'notice', message: `the versions of ${name} are not sealed: ${error.message}` });
  }
}

async function sealAll(context: Context, layout: RepositoryLayout): Promise<void> {
  const lock = context.host.takeLock(layout.sealLock, `sealing (process ${process.pid})`);
  if (!lock.held) return;
  using _ = lock;
  const repository = readRepository(context, layout);
  const { history } = repository;
  const ids = [...history.ids()].filter((id) => context.host.files.stat(layout.version(id).entries) === undefined);
  for (const id of ids.sort((a, b) => history.numberOf(a) - history.numberOf(b))) {
    await sealVersion(context, repository, id);
  }
}

async function sealVersion(context: Context, repository: Repository, id: VersionId): Promise<void> {
  const number = repository.history.numberOf(id);
  try {
    const version = repository.history.get(id);
    await runJob(context, `sealing @${number}`, sealSharing(context.host, repository, version));
  } catch (error) {
    if (!isConfined(error)) throw error;
    context.report({ kind: 'notice', message: `@${number} is not sealed: ${error.message}` });
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
