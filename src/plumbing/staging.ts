/** The pieces that operations on a container stage before their commit point. */

import { isErrno } from '../host/host.js';
import { createDelta } from '../layer/delta.js';
import { formatRootfsPath, isMountable, pinOptions } from '../layer/overlayfs.js';
import { LxcvError } from '../model/errors.js';
import { formatLxcConfig, type LxcConfig, setMarker, setValue } from '../model/lxc-config.js';
import { privateFiles } from '../model/lxc-config-clone.js';
import type { ContainerName } from '../model/version.js';
import type { Container } from '../store/containers.js';
import type { RepositoryLayout, VersionLayout } from '../store/layout.js';
import type { ContainerLayout } from '../store/lxc-layout.js';
import type { Step } from '../store/steps.js';
import { encodeWorking, type Working } from '../store/working.js';
import type { Context } from './context.js';
import { destroyedMeanwhile } from './unless-destroyed.js';

/** Where a container's working delta lies. */
export interface DeltaPlace {
  readonly repository: RepositoryLayout;
  readonly container: ContainerName;
  readonly layout: VersionLayout;
}

/** Makes an empty working delta. @param rootAttributesFrom the directory whose attributes its root takes over. */
export function stageWorking(
  { host: { files } }: Context,
  repository: RepositoryLayout,
  layout: VersionLayout,
  working: Working,
  rootAttributesFrom: string,
): void {
  files.mkdir(layout.root, 0o700);
  createDelta(files, layout.delta, rootAttributesFrom);
  files.mkdir(layout.work, 0o700);
  files.create(layout.working, encodeWorking(working), 0o600);
  ensureDirectory(files, repository.guard(working.container));
}

/**
 * The config with another `lxc.rootfs.path`, a working delta over lower directories; the rest stays as it was.
 * @throws LxcvError `too-long`.
 */
export function stackConfig(
  config: LxcConfig,
  options: string | undefined,
  { repository, container, layout }: DeltaPlace,
  lowers: readonly string[],
): Buffer {
  checkMountable(lowers, layout.delta, options);
  const mounted = setValue(config, 'lxc.rootfs.path', formatRootfsPath(lowers, layout.delta));
  const pinned = setValue(mounted, 'lxc.rootfs.options', pinOptions(options));
  return formatLxcConfig(setMarker(pinned, { container, repository: repository.root }));
}

/** @throws LxcvError `too-long` where so many long paths do not fit one call of mount(2), even though chains are kept short. */
export function checkMountable(lowers: readonly string[], upper: string, options: string | undefined): void {
  if (isMountable(lowers, upper, pinOptions(options))) return;
  throw new LxcvError(
    'too-long',
    `the paths of the ${lowers.length} layers to mount for ${upper} are too long for one call of mount`,
    'Nothing was changed. Keep the containers under a shorter lxcpath, or give them shorter names.',
  );
}

/** Copies the private hooks and the fstab that a config names from one directory to another, where they are there. */
export function copyPrivateFiles(
  { host: { files } }: Context,
  paths: readonly string[],
  from: string,
  to: string,
): void {
  for (const path of paths) {
    const stat = files.stat(`${from}/${path}`);
    if (stat?.type !== 'file' && stat?.type !== 'symlink') continue;
    for (const directory of directoriesAbove(path, to)) ensureDirectory(files, directory);
    if (stat.type === 'symlink') {
      files.symlink(files.readLink(`${from}/${path}`), `${to}/${path}`);
    } else {
      files.copyBytes(`${from}/${path}`, `${to}/${path}`);
      files.chmod(`${to}/${path}`, stat.mode);
    }
  }
}

/** The steps that remove what `copyPrivateFiles` made, deepest first. */
export function removePrivateFiles(paths: readonly string[], to: string): Step[] {
  const directories = [...new Set(paths.flatMap((path) => directoriesAbove(path, to)))].sort().reverse();
  return [
    ...paths.map((path): Step => ({ do: 'unlink', path: `${to}/${path}` })),
    ...directories.map((path): Step => ({ do: 'rmdir', path })),
  ];
}

/** The private files of a container, relative to its directory. */
export function privateFilesOf(config: LxcConfig, container: ContainerLayout): string[] {
  return privateFiles(config, container.root);
}

/** `to`, and the directories below it that the path goes through, in that order. */
function directoriesAbove(path: string, to: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return [to, ...parts.map((_, index) => `${to}/${parts.slice(0, index + 1).join('/')}`)];
}

export function ensureDirectory(files: Context['host']['files'], path: string): void {
  try {
    files.mkdir(path, 0o700);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/**
 * The last check before a container's config is replaced. An edit after it is merged; an edit before it may name another root file
 * system, and is not overwritten.
 * @throws LxcvError `container-edited`, or `container-not-found` where the container was destroyed.
 */
export function checkConfigUnchanged({ host: { files } }: Context, container: Container): void {
  const current = files.readIfPresent(container.layout.config);
  if (current?.equals(container.configBytes)) return;
  if (current === undefined) throw destroyedMeanwhile(container);
  throw new LxcvError(
    'container-edited',
    `${container.layout.config} was changed while lxcv was at work`,
    'Nothing was done. Try again.',
  );
}
