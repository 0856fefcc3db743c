/**
 * Checks whether a root file system can be moved into the store: the move must not fail after the commit point. What can be read is
 * checked before anything is made; `tryMove` then tries the same move with an empty directory.
 */

import { basename, dirname } from 'node:path';
import { type Files, isSystemError } from '../host/files.js';
import type { Placement } from '../host/placement.js';
import { LxcvError } from '../model/errors.js';
import type { Container } from '../store/containers.js';
import { type RepositoryLayout, storeFile, storeRoot, type VersionLayout } from '../store/layout.js';
import { trialBeside } from '../store/lxc-layout.js';
import { moveIn } from '../store/move-in.js';
import type { Step } from '../store/steps.js';
import type { Context } from './context.js';
import { copyHint } from './copy-hint.js';

/**
 * @param delta a directory: the root file system as it lies now.
 * @throws LxcvError `other-file-system` where no rename leads from there to the store, `not-movable` where an attribute or a mount
 * keeps it in its place, `failed` where the store is a symbolic link to nothing.
 */
export function checkMovable(
  context: Context,
  container: Container,
  repository: RepositoryLayout,
  delta: string,
): void {
  const { files } = context.host;
  const store = presentStore(context);
  const from = files.placement(delta) as Placement;
  const above = files.placement(dirname(delta)) as Placement;
  const to = files.placement(store) as Placement;
  if (from.isMountPoint) {
    throw notMovable(
      `${delta}, the root file system of ${container.name}, is itself the place of a mount`,
      `Move what is mounted there to a directory of its file system, and name that: findmnt ${delta}`,
    );
  }
  if (files.statTarget(delta)?.device !== files.statTarget(store)?.device || above.mount !== to.mount) {
    throw otherFileSystem(context, container, delta);
  }
  checkProjects(context, repository, delta, from, above);
  for (const path of placesOfChange(context, container, repository, delta)) {
    const { attribute } = files.placement(path) ?? {};
    if (attribute !== undefined) {
      throw notMovable(
        `${path} has the attribute ${attribute} of chattr, which keeps it and what it holds in place`,
        `Take it away for the first commit: chattr -${attribute} ${path}`,
      );
    }
  }
}

/**
 * Tries, last of all, whether an overlay can have its upper directory in the store, as the container's will.
 * @throws LxcvError `backing-store`.
 */
export function checkHoldsUppers(context: Context, { name }: Container): void {
  const store = presentStore(context);
  const reason = context.host.mounts.tryUpper(store);
  if (reason === undefined) return;
  // Those are temporary, and say nothing about what the file system can do.
  if (['EROFS', 'ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(reason)) {
    throw Object.assign(new Error(`${reason}: ${store}`), { code: reason });
  }
  throw new LxcvError(
    'backing-store',
    `the file system of ${store} cannot hold the upper directory of an overlay (${reason}), and ${name} would not start again`,
    'Have container and store on ext4, xfs or btrfs: not on an overlay (Docker, live systems), NFS, vfat or a tmpfs without xattrs.',
  );
}

/**
 * Tries the move that follows the commit point with an empty directory beside the delta, and removes that.
 * @throws LxcvError `not-movable` with the system's reason.
 */
export function tryMove(files: Files, delta: string, version: VersionLayout): void {
  const trial = trialBeside(delta, version.id);
  try {
    files.mkdir(trial, 0o700);
    moveIn(files, trial, version.delta);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new LxcvError(
      'not-movable',
      `the system does not let a directory be moved from ${dirname(delta)} to ${version.root}: ${(error as Error).message}`,
      'Remove the cause (findmnt, lsattr -d, and the log of the system tell more), and commit again. Nothing was changed.',
      { cause: error },
    );
  }
  files.rmdir(version.delta);
  files.unlink(trial);
}

/** The steps that remove what `tryMove` leaves where it is cut short: directory and link may be in either's place. */
export function removeTrial(delta: string, version: VersionLayout): Step[] {
  return [trialBeside(delta, version.id), version.delta].flatMap((path): Step[] => [
    { do: 'rmdir', path },
    { do: 'unlink', path },
  ]);
}

/** Every directory in which a name is added, removed or exchanged. */
function placesOfChange(
  { host: { files } }: Context,
  { layout }: Container,
  repository: RepositoryLayout,
  delta: string,
): string[] {
  const parent = dirname(delta);
  const places = [
    delta,
    parent,
    `${parent}/work`,
    `${parent}/work/work`,
    ...(basename(parent) === 'overlay' ? [dirname(parent)] : []),
    layout.root,
    layout.config,
    repository.storeRoot,
    repository.root,
    repository.operations,
    repository.versions,
    repository.branches,
    repository.guards,
  ];
  return places.filter((path) => files.statTarget(path) !== undefined);
}

/** A directory that hands its project on takes in nothing of another project. */
function checkProjects(
  { host: { files } }: Context,
  repository: RepositoryLayout,
  delta: string,
  from: Placement,
  above: Placement,
): void {
  const place = [repository.versions, repository.root, repository.storeRoot, dirname(repository.storeRoot)].find(
    (path) => files.statTarget(path) !== undefined,
  ) as string;
  const { takesOnly, project } = files.placement(place) as Placement;
  const link = takesOnly === undefined ? 0 : project;
  if (takesOnly !== undefined && takesOnly !== from.project) {
    throw notMovable(
      `${place} takes in nothing but what is of its project ${takesOnly} for quotas, and ${delta} is of ${from.project}`,
      `Have it hand its project on no more, for what is made in it from now on: chattr -P ${place}`,
    );
  }
  if (above.takesOnly !== undefined && above.takesOnly !== link) {
    throw notMovable(
      `${dirname(delta)} takes in nothing but what is of its project ${above.takesOnly} for quotas, not even lxcv's symbolic link of ${link}`,
      `Have it hand its project on no more, for what is made in it from now on: chattr -P ${dirname(delta)}`,
    );
  }
}

/** The store, or the directory that it would be made in. @throws LxcvError `failed`. */
function presentStore({ host: { files }, lxcpath }: Context): string {
  const root = storeRoot(files, lxcpath);
  if (files.statTarget(root) !== undefined) return root;
  if (files.stat(root)?.type !== 'symlink') return dirname(root);
  const target = files.readLink(root).toString('utf8');
  throw new LxcvError(
    'failed',
    `the store ${root} is a symbolic link to ${target}, and nothing is there`,
    `Make the directory: mkdir -m 700 ${target}`,
  );
}

/** The hint makes the store a link to where the root file system can be moved to; one that holds versions stays where it is. */
function otherFileSystem(context: Context, container: Container, delta: string): LxcvError {
  const { files, occupancy } = context.host;
  const store = storeRoot(context.host.files, context.lxcpath);
  const isSame = files.statTarget(delta)?.device === files.statTarget(presentStore(context))?.device;
  const where = isSame
    ? `${delta} and the store, ${store}, are on one file system, but reached by two mounts of it, and no rename goes from one to the other`
    : `${delta} is on another file system than the store, ${store}`;
  const id = files.placement(dirname(delta))?.mount;
  const mount = occupancy.mounts().find((each) => each.id === id)?.place ?? dirname(delta);
  const place = `${mount === '/' ? '' : mount}/${mount === context.lxcpath ? '.lxcv' : 'lxcv'}`;
  const makeLink = `mkdir -m 700 ${place} && ln -s ${place} ${store}`;
  const there = files.statTarget(store);
  return new LxcvError('other-file-system', where, wayOn());

  function wayOn(): string {
    if (there === undefined) return `Put the store there, with a symbolic link to it: ${makeLink}`;
    if (files.stat(storeFile(store)) !== undefined || files.list(`${store}/.`).length > 0) {
      if (files.placement(context.lxcpath)?.mount === files.placement(store)?.mount)
        return `lxcv moves it and never copies it. ${copyHint(context, container)}`;
      return `lxcv moves it and never copies it. Bring ${context.lxcpath} and ${store} onto one mount of one file system, and commit again.`;
    }
    const away = files.placement(store)?.isMountPoint ? `umount ${store} && rmdir ${store}` : `rmdir ${store}`;
    const isLink = files.stat(store)?.type === 'symlink';
    return `Put the store there, with a symbolic link to it: ${isLink ? `rm ${store}` : away} && ${makeLink}`;
  }
}

function notMovable(message: string, hint: string): LxcvError {
  return new LxcvError('not-movable', message, hint);
}
