/** commit: makes a version of what a container holds now. */

import { LxcvError } from '../model/errors.js';
import type { ContainerName, RepositoryName, Version } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { holdStopped } from '../plumbing/hold.js';
import { runHook, runLateHook } from '../plumbing/hooks.js';
import { checkUnedited } from '../plumbing/layers.js';
import { openForReading, readRepository, requireContainer } from '../plumbing/lookup.js';
import { checkSurvivesStop, whileStopped } from '../plumbing/restart.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';
import { unlessDestroyed } from '../plumbing/unless-destroyed.js';
import type { Container, VersionedContainer } from '../store/containers.js';
import { RepositoryLayout, storeRoot } from '../store/layout.js';
import { lockRepository } from '../store/store.js';
import { adopt } from './adopt.js';
import { checkAdoptable } from './adoption-check.js';
import type { CommitOrder, CommitRequest } from './commit-request.js';
import { commitRunning } from './commit-running.js';
import { commitStopped } from './commit-stopped.js';

/**
 * Commits a container, stopped or running; one that lxcv does not know yet is adopted, and must be stopped for that, or be restarted.
 * @throws LxcvError `nothing-to-commit`, and those that say why a container cannot be committed.
 */
export async function commit(context: Context, request: CommitRequest): Promise<Version> {
  const author = Promise.resolve(request.author ?? context.host.author());
  // Awaited where it is needed; avoids an unhandled rejection when the commit is refused before that.
  author.catch(() => undefined);
  const repositoryName = await retryUntilStable(context, (reading) => repositoryOf(reading, request), 'ignored');
  const hooks = new RepositoryLayout(storeRoot(context.host.files, context.lxcpath), repositoryName);
  await runHook(context, hooks, 'pre-commit', request.container);
  const version = await commitLocked(context, repositoryName, { ...request, author });
  await runLateHook(context, hooks, 'post-commit', request.container);
  return version;
}

async function commitLocked(context: Context, repositoryName: RepositoryName, request: CommitOrder): Promise<Version> {
  using layout = await lockRepository(context.host, context.lxcpath, repositoryName, `commit ${request.container}`);
  const repository = readRepository(context, layout);
  const container = requireContainer(context, request.container);
  if (!isVersioned(container)) {
    const act = (held: Disposable) =>
      unlessDestroyed(context, container, () => adopt(context, repository, container, request, held));
    using hold = await holdStopped(context, container);
    if (hold !== undefined) return await act(hold);
    if (!request.restart) throw running(container);
    return await whileStopped(context, layout, container, act);
  }
  if (container.versioned.repository.name !== layout.name) throw movedMeanwhile(container.name);
  checkUnedited(container);
  using hold = await holdStopped(context, container);
  return await unlessDestroyed(context, container, () =>
    hold === undefined
      ? commitRunning(context, repository, container, request)
      : commitStopped(context, repository, container, request, hold),
  );
}

/**
 * The repository that a commit of the container goes to. An adoption that was cut short is finished first; what can never be
 * versioned is refused before a repository is made for it.
 */
async function repositoryOf(context: Context, { container: name, restart }: CommitRequest): Promise<RepositoryName> {
  const own = name as string as RepositoryName;
  openForReading(context, own);
  const container = requireContainer(context, name);
  if (container.versioned !== undefined) return container.versioned.repository.name;
  // What there is to report about the hold is reported when it is taken for good.
  const hold = await holdStopped({ ...context, report: () => {} }, container);
  if (hold === undefined && !restart) throw running(container);
  if (hold === undefined) checkSurvivesStop(context, container);
  hold?.[Symbol.dispose]();
  await checkAdoptable(context, container, hold === undefined ? 'running' : 'stopped');
  return own;
}

function running({ name, layout }: Container): LxcvError {
  return new LxcvError(
    'container-running',
    `${name} is running, and its first commit takes its root file system over`,
    `Let lxcv stop it and start it again: --restart. Or stop it for this once: lxc-stop -P ${layout.lxcpath} -n ${name}`,
  );
}

function isVersioned(container: Container): container is VersionedContainer {
  return container.versioned !== undefined;
}

function movedMeanwhile(name: ContainerName): LxcvError {
  return new LxcvError('repository-locked', `${name} was changed by another lxcv meanwhile`, 'Try again.');
}
