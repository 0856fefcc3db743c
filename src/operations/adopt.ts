/**
 * Adopts a stopped container that lxcv does not know: what it holds becomes a first version, moved and not copied. An overlay
 * container keeps its lower directories as bases outside the store; of a plain one the root file system itself is the version.
 */

import { basename, dirname } from 'node:path';
import type { Files, Stat } from '../host/files.js';
import { fingerprint } from '../layer/base.js';
import { findMisread } from '../layer/delta.js';
import { usesUserXattrs } from '../layer/overlayfs.js';
import { pathToText } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import type { Base, RepositoryName, Version } from '../model/version.js';
import type { Container } from '../store/containers.js';
import { RepositoryLayout, storeRoot, type VersionLayout } from '../store/layout.js';
import { runStep, type Step } from '../store/steps.js';
import type { CommitOrder } from './commit-request.js';
import { completeDraft, freeBranchName, tryCounting } from './draft.js';
import { checkKept } from './kept.js';
import { checkMarker } from './layers.js';
import type { Repository } from './lookup.js';
import { type Arrival, restack } from './restack.js';
import { runJob } from './run-job.js';
import { checkSpace } from './space.js';
import { checkMountable } from './staging.js';
import type { World } from './world.js';

/** Where a container's own files lie, and on what. */
interface Origin {
  /** The upper directory, or the whole root file system. */
  readonly delta: string;
  /** The lower directories, top first; none under a whole root file system. */
  readonly lowers: readonly string[];
}

export async function adopt(
  world: World,
  repository: Repository,
  container: Container,
  request: CommitOrder,
  hold: Disposable,
): Promise<Version> {
  const origin = await checkAdoptable(world, container);
  const { files } = world.host;
  const layout = repository.layout.version(newId(world.host.randomBytes));
  const bases = origin.lowers.map((path): Base => ({ path, fingerprint: fingerprint(files, path) as string }));
  const branch = freeBranchName(repository.branches, container.name);
  const version = completeDraft(world, repository, {
    ...{ id: layout.id, container: container.name, branch, parents: [], chain: [layout.deltaLayer], bases },
    ...{ message: request.message, author: await request.author },
  });
  return await restack(world, {
    command: 'commit',
    container,
    repository: repository.layout,
    present: { version, keyframe: undefined, before: origin.lowers, after: [layout.delta, ...origin.lowers] },
    next: { container: container.name, branch, parents: [version.id], lowers: [layout.deltaLayer], bases },
    model: origin.delta,
    refs: new Map([[branch, version.id]]),
    arrival: planArrival(world, container, origin, repository.layout, layout),
    hold,
  });
}

/**
 * Looks whether a container can be adopted, and changes nothing.
 * @throws LxcvError `backing-store`, `other-file-system`, `too-long`, `no-space`, `container-edited`, `base-missing`, `delta-not-keepable`.
 */
export async function checkAdoptable(world: World, container: Container): Promise<Origin> {
  checkMarker(world, container);
  const origin = originOf(container);
  const delta = world.host.files.stat(origin.delta);
  if (delta?.type !== 'directory') {
    throw new LxcvError(
      'backing-store',
      `${origin.delta}, the root file system of ${container.name}, is not a directory`,
      'lxcv versions containers on dir and overlay. Start it once with LXC to see what is wrong.',
    );
  }
  if (delta.device !== storeDevice(world)) {
    throw new LxcvError(
      'other-file-system',
      `${origin.delta} is on another file system than the store, ${storeRoot(world.lxcpath)}`,
      'lxcv moves it and never copies it: bring both to one file system, by a move or by a symbolic link for the store.',
    );
  }
  const isPlain = origin.lowers.length === 0;
  if (isPlain) await checkNotMisread(world, origin.delta);
  const levels = isPlain ? 0 : await checkKept(world, origin.delta, `${dirname(origin.delta)}/work`);
  for (const lower of origin.lowers) {
    if (world.host.files.statTarget(lower)?.type === 'directory') continue;
    throw new LxcvError(
      'base-missing',
      `the lower directory ${lower} of ${container.name} is not there`,
      'Bring it back first.',
    );
  }
  await tryCounting(world, origin.lowers, [origin.delta, ...origin.lowers], container.name, levels);
  const repository = new RepositoryLayout(storeRoot(world.lxcpath), container.name as string as RepositoryName);
  const { delta: upper } = repository.version(newId(world.host.randomBytes));
  // What it may come to: the whole root file system or the bases, a keyframe, and the copy of it while it runs.
  checkMountable([upper, upper, upper, ...origin.lowers, repository.guard(container.name)], upper, container.options);
  checkSpace(world, `the commit of ${container.name}`);
  return origin;
}

/** The file system of the store, or that on which it would be made. */
function storeDevice({ host: { files }, lxcpath }: World): bigint | undefined {
  const root = storeRoot(lxcpath);
  return (files.statTarget(root) ?? files.statTarget(dirname(root)))?.device;
}

function originOf({ name, rootfs, options }: Container): Origin {
  if (rootfs.kind === 'directory') return { delta: rootfs.path, lowers: [] };
  if (rootfs.kind === 'overlay' && !usesUserXattrs(options)) return { delta: rootfs.upper, lowers: rootfs.lowers };
  const what = rootfs.kind === 'other' ? rootfs.store : 'overlay with the option userxattr';
  throw new LxcvError(
    'backing-store',
    `${name} is on the backing store ${what}; lxcv versions containers on dir and overlay`,
    `Copy it to a directory, and commit the copy: lxc-copy -n ${name} -N NEW -B dir`,
  );
}

async function checkNotMisread(world: World, rootfs: string): Promise<void> {
  const misread = await runJob(world, 'looking for marks of other overlays', findMisread(world.host.files, rootfs));
  if (misread === undefined) return;
  throw new LxcvError(
    'delta-not-keepable',
    `/${pathToText(misread.path)} ${misread.reason}, and would be taken for one of lxcv's`,
    'Remove it (Docker and other overlays in the container keep theirs under /var/lib), and commit again.',
  );
}

function planArrival(
  { host }: World,
  container: Container,
  origin: Origin,
  repository: RepositoryLayout,
  layout: VersionLayout,
): Arrival {
  const registrations = origin.lowers.flatMap((lower) => registration(host.files, lower, repository));
  return {
    from: origin.delta,
    mtimeNs: (host.files.stat(origin.delta) as Stat).mtimeNs,
    stage: () => {
      for (const step of registrations) runStep(host, { do: 'register', ...step });
      host.files.mkdir(layout.root, 0o700);
    },
    moved: leaveOldPlace(host.files, container, origin),
    back: [{ do: 'rmdir', path: layout.root }, ...registrations.map((step): Step => ({ do: 'unregister', ...step }))],
  };
}

/** The steps that leave nothing of lxcv's where the delta was; but other containers' mounts may still name a root file system. */
function leaveOldPlace(files: Files, container: Container, { delta, lowers }: Origin): Step[] {
  if (lowers.length === 0) {
    return files.stat(container.layout.clones) === undefined ? [{ do: 'unlink', path: delta }] : [];
  }
  const parent = dirname(delta);
  const own = basename(parent) === 'overlay' && dirname(parent) === container.layout.root ? [parent] : [];
  const directories = [`${parent}/work`, ...own];
  return [
    { do: 'unlink', path: delta },
    { do: 'remove-copy', path: `${parent}/work/work` },
    ...directories.map((path): Step => ({ do: 'rmdir', path })),
  ];
}

/** How the repository enters itself as a clone of the container whose root file system a base is, where it has not yet. */
function registration(files: Files, base: string, repository: RepositoryLayout): { path: string; entry: string }[] {
  const owner = dirname(base);
  if (files.stat(`${owner}/config`) === undefined) return [];
  const path = `${owner}/lxc_snapshots`;
  const entry = `${repository.storeRoot}\n${repository.name}\n`;
  const isListed = `\n${files.readIfPresent(path)?.toString('utf8') ?? ''}`.includes(`\n${entry}`);
  return isListed ? [] : [{ path, entry }];
}
