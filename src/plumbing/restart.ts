/** Stops a container for an operation, and starts it again, whatever comes of that. */

import { isSystemError } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import { effectiveValue } from '../model/lxc-config.js';
import type { NotStarted } from '../model/results.js';
import type { ContainerName, RepositoryName } from '../model/version.js';
import { type Container, readInclude } from '../store/containers.js';
import { RepositoryLayout, storeRoot } from '../store/layout.js';
import { clearRestart, failRestart, markRestart, readNotStarted } from '../store/restarts.js';
import { listRepositories } from '../store/store.js';
import type { Context } from './context.js';
import { holdStopped } from './hold.js';

/**
 * Of a container that runs. What counts is the config that it was started with; but one that got the line since would be destroyed the
 * next time.
 * @throws LxcvError `ephemeral` where LXC destroys it, with its root file system, when it stops.
 */
export function checkSurvivesStop({ host, lxcpath }: Context, { name, config, layout, versioned }: Container): void {
  const isSet = (value: string | undefined) => (value ?? '0') !== '0';
  const key = 'lxc.ephemeral';
  const isStartedSo = isSet(host.lxc.startedWith(lxcpath, name, key));
  if (!isStartedSo && !isSet(effectiveValue(config, key, (path) => readInclude(host, path)))) return;
  const init = `$(lxc-info -P ${lxcpath} -n ${name} -p -H)`;
  const keep =
    versioned === undefined
      ? `Copy what it holds while it runs: tar -C /proc/${init}/root --one-file-system --numeric-owner --xattrs -cpf ${name}.tar .`
      : `Commit it while it runs, and check that version out as a new container: lxcv commit -P ${lxcpath} ${name}`;
  throw new LxcvError(
    'ephemeral',
    isStartedSo
      ? `${name} was started with ${key}: LXC destroys it, with its root file system, when it stops`
      : `${layout.config} has ${key}: LXC would destroy ${name}, with its root file system, when it stops after its next start`,
    isStartedSo ? keep : `Take ${key} out of the config, or out of what that includes, and try again.`,
  );
}

/**
 * The caller holds the lock of the repository, and the container runs. Where it cannot be started again a notice says so, and
 * from then on by `notStarted`: what the operation did is done all the same.
 */
export async function whileStopped<T>(
  context: Context,
  repository: RepositoryLayout,
  container: Container,
  act: (hold: Disposable) => Promise<T>,
): Promise<T> {
  checkSurvivesStop(context, container);
  using _ = context.host.signals.hold();
  const { name } = container;
  markRestart(context.host, repository, name);
  try {
    await stop(context, name);
    using hold = await holdStopped(context, container);
    if (hold === undefined) {
      throw new LxcvError(
        'container-running',
        `${name} was started again by somebody else when it had been stopped`,
        'Nothing was done. Look what starts it, and try again.',
      );
    }
    return await act(hold);
  } finally {
    await startAgain(context, repository, name);
  }
}

/** @throws LxcvError `interrupted`: once it is known whether the container has stopped as it was asked to. */
async function stop(context: Context, name: ContainerName): Promise<void> {
  const { host, lxcpath } = context;
  const { lxc, signals } = host;
  const monitor = lxc.monitorOf(lxcpath, name);
  const isUp = () => monitor !== undefined && lxc.monitorOf(lxcpath, name) === monitor;
  const end = host.monotonicMs() + STOPPING_MS;
  context.report({ kind: 'step', what: `stopping ${name}` });
  try {
    await lxc.stop(lxcpath, name, signals.abort);
  } catch (error) {
    if (!signals.abort.aborted) throw error;
    if (isUp()) context.report({ kind: 'notice', message: waiting(name) });
    while (isUp() && host.monotonicMs() < end) await host.sleep(POLL_MS);
  }
  signals.check(
    isUp() ? `Nothing was done, and ${name} goes on.` : `Nothing was done, but that ${name} was restarted.`,
  );
}

/** For so long LXC waits for a container that it has asked to stop. */
const STOPPING_MS = 60_000;
const POLL_MS = 250;

function waiting(name: ContainerName): string {
  return `${name} was told to stop already: it is looked for a minute at most whether it does, to start it again; a second signal ends that at once`;
}

async function startAgain(context: Context, repository: RepositoryLayout, name: ContainerName): Promise<void> {
  const { host, lxcpath } = context;
  try {
    if (host.lxc.monitorOf(lxcpath, name) === undefined) {
      context.report({ kind: 'step', what: `starting ${name}` });
      await host.lxc.start(lxcpath, name);
    }
  } catch (error) {
    if (!(error instanceof LxcvError) && !isSystemError(error)) throw error;
    failRestart(host, repository, name, error);
    const message = `${name} was stopped, and could not be started again: ${error instanceof Error ? error.message : error}`;
    context.report({
      kind: 'notice',
      message: `${message}. Start it when that is mended: lxc-start -P ${lxcpath} -n ${name}`,
    });
    return;
  }
  try {
    clearRestart(host, repository, name);
  } catch (error) {
    // The next command sees that it runs.
    if (!isSystemError(error)) throw error;
  }
}

/** The containers, of all repositories or of some, that lxcv has stopped, and could not start again, by name. */
export function notStarted(
  { host, lxcpath }: Context,
  repositories: readonly RepositoryName[] = listRepositories(host, lxcpath),
): NotStarted[] {
  const root = storeRoot(host.files, lxcpath);
  return repositories
    .flatMap((name) => {
      try {
        return readNotStarted(host, new RepositoryLayout(root, name));
      } catch (error) {
        // Whoever opens the repository gets the error about its owner.
        if (error instanceof LxcvError) return [];
        throw error;
      }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
