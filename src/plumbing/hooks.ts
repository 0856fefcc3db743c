/** Hooks: programs of the administrator's on the host, `hooks/NAME` of a repository, run at certain moments of a commit. */

import { dirname, resolve } from 'node:path';
import type { FilesRead } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import type { RepositoryLayout } from '../store/layout.js';
import { checkPathOwned } from '../store/ownership.js';
import { describe } from '../store/store-file.js';
import type { Context } from './context.js';

/** In the order in which a commit runs them; `pre-freeze` and `post-thaw` are for running containers alone. */
export type HookName = 'pre-commit' | 'pre-freeze' | 'post-thaw' | 'post-commit';

const EXECUTABLE = 0o111;
/** Of the first line of a script the kernel reads no more, and an interpreter that is a script itself has one so many times: execve(2). */
const FIRST_LINE_BYTES = 256;
const INTERPRETERS_MAX = 4;
/** Of what a hook that failed printed before its last line. */
const LINES_SHOWN = 20;

/**
 * Runs a hook, if there is one that is executable, with the container's name, the lxcpath and its own name in `LXCV_CONTAINER`, `LXCV_LXCPATH`
 * and `LXCV_HOOK`.
 * @throws LxcvError `hook-refused` where it does not end with 0, or is no file; `unsafe-owner` where it, or what interprets it, is not
 * root's alone.
 */
export async function runHook(
  context: Context,
  repository: RepositoryLayout,
  hook: HookName,
  container: ContainerName,
): Promise<void> {
  const path = repository.hook(hook);
  const { files } = context.host;
  checkType(files, dirname(path), 'directory', 'no hook can be run');
  checkType(files, path, 'file', `the hook ${hook} cannot be run`);
  const stat = files.statTarget(path);
  if (stat === undefined) return;
  if ((stat.mode & EXECUTABLE) === 0) {
    const message = `the hook ${hook} is not executable, and was not run; to have it run: chmod +x ${path}`;
    context.report({ kind: 'notice', message });
    return;
  }
  checkProgramOwned(files, path);
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

/** Nothing there is no hook; but what is something else than it must be, or a link to nothing, was meant to be one. */
function checkType(files: FilesRead, path: string, type: 'file' | 'directory', what: string): void {
  const stat = files.stat(path);
  if (stat === undefined) return;
  const target = stat.type === 'symlink' ? files.statTarget(path) : stat;
  if (target?.type === type) return;
  const is = target === undefined ? 'a symbolic link to nothing' : describe(target);
  throw new LxcvError('hook-refused', `${what}: ${path} is ${is}, and must be a ${type}`, `Move it away: ${path}`);
}

/** A program, what interprets it, and so on: whoever can write to one of these has root run what they like. */
function checkProgramOwned(files: FilesRead, path: string): void {
  let program: string | undefined = path;
  for (let times = 0; program !== undefined && times <= INTERPRETERS_MAX; times += 1) {
    checkPathOwned(files, program);
    program = interpreterOf(files, program);
  }
}

/** What the first line of a script names. A relative path is one from where lxcv was started. */
function interpreterOf(files: FilesRead, path: string): string | undefined {
  if (files.statTarget(path)?.type !== 'file') return undefined;
  using file = files.openFile(files.realPath(path) ?? path);
  const bytes = Buffer.alloc(FIRST_LINE_BYTES);
  const text = bytes.subarray(0, file.read(bytes, 0)).toString('utf8');
  const interpreter = /^#![ \t]*([^ \t\n\0]+)/.exec(text)?.[1];
  return interpreter === undefined ? undefined : resolve(files.realPath('.') ?? '/', interpreter);
}
