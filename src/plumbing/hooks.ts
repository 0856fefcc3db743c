/** Hooks: programs of the administrator's on the host, `hooks/NAME` of a repository, run at certain moments of a commit. */

import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import type { RepositoryLayout } from '../store/layout.js';
import { checkPathOwned } from '../store/ownership.js';
import type { Context } from './context.js';

/** In the order in which a commit runs them; `pre-freeze` and `post-thaw` are for running containers alone. */
export type HookName = 'pre-commit' | 'pre-freeze' | 'post-thaw' | 'post-commit';

const EXECUTABLE = 0o111;
/** Of what a hook that failed printed before its last line. */
const LINES_SHOWN = 20;

/**
 * Runs a hook, if there is one that is executable, with the container's name, the lxcpath and its own name in `LXCV_CONTAINER`, `LXCV_LXCPATH`
 * and `LXCV_HOOK`.
 * @throws LxcvError `hook-refused` where it does not end with 0, `unsafe-owner` where it is not root's alone.
 */
export async function runHook(
  context: Context,
  repository: RepositoryLayout,
  hook: HookName,
  container: ContainerName,
): Promise<void> {
  const path = repository.hook(hook);
  const stat = context.host.files.statTarget(path);
  if (stat?.type !== 'file') return;
  if ((stat.mode & EXECUTABLE) === 0) {
    const message = `the hook ${hook} is not executable, and was not run; to have it run: chmod +x ${path}`;
    context.report({ kind: 'notice', message });
    return;
  }
  checkPathOwned(context.host.files, path);
  const env = { LXCV_CONTAINER: container, LXCV_LXCPATH: context.lxcpath, LXCV_HOOK: hook };
  const { exitCode, signal, failure, said: output } = await context.host.programs.runAndLeave(path, env);
  if (exitCode === 0) return;
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const said = failure?.message ?? lines.pop() ?? '';
  const how =
    failure !== undefined
      ? 'could not be run'
      : signal === undefined
        ? `ended with ${exitCode}`
        : `was killed by ${signal}`;
  for (const line of lines.slice(-LINES_SHOWN)) context.report({ kind: 'notice', message: `${hook}: ${line}` });
  throw new LxcvError(
    'hook-refused',
    `the hook ${hook} ${how}${said === '' ? '' : `: ${said}`}`,
    signal === undefined ? `See what it wants, or take it away: ${path}` : `See what ended ${path}, and try again.`,
  );
}

/** Runs a hook whose failure comes too late to refuse anything: it is only reported. */
export async function runLateHook(
  context: Context,
  repository: RepositoryLayout,
  hook: HookName,
  container: ContainerName,
): Promise<void> {
  try {
    await runHook(context, repository, hook, container);
  } catch (error) {
    const message = error instanceof LxcvError ? error.message : `the hook ${hook} could not be run: ${error}`;
    context.report({ kind: 'notice', message });
  }
}
