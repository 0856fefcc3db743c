/**
 * Checks whether a container can be adopted, before anything of it moves: whether its root file system is its own alone, can be moved
 * for good, and boots from the store as it did before. What cannot is refused. It changes nothing.
 */

import { dirname, isAbsolute, resolve } from 'node:path';
import type { Held } from '../host/occupancy.js';
import { findMisread, findShared, type Shared, type Unsupported } from '../layer/delta.js';
import { formatRootfsPath, isNote, usesUserXattrs } from '../layer/overlayfs.js';
import { type BytePath, ROOT, tellPath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import { findLegacy, hasIdMap } from '../model/lxc-config.js';
import type { RepositoryName } from '../model/version.js';
import { checkCountable } from '../plumbing/changed.js';
import type { Context } from '../plumbing/context.js';
import { copyHint } from '../plumbing/copy-hint.js';
import { checkMarker } from '../plumbing/layers.js';
import { checkOverlaySupported, quoted } from '../plumbing/overlay-support.js';
import { checkHoldsUppers, checkMovable } from '../plumbing/root-move.js';
import { checkOwnRoot, type Origin } from '../plumbing/root-owner.js';
import { checkUnused } from '../plumbing/root-use.js';
import { runJob } from '../plumbing/run-job.js';
import { checkSpace } from '../plumbing/space.js';
import { checkMountable } from '../plumbing/staging.js';
import type { Container } from '../store/containers.js';
import { RepositoryLayout, storeRoot } from '../store/layout.js';
import { obeyedSettings } from '../store/other-configs.js';
import { checkPathOwned } from '../store/ownership.js';

/** So often, and after so long each time, it is checked whether who holds something of it still does. */
const CHECKS = 20;
const CHECK_AGAIN_MS = 50;

/** A root file system that can be taken over; `isLower` where the overlays of other containers stand on it. */
export interface Adoptable extends Origin {
  readonly isLower: boolean;
}

/**
 * @param state of a container: of a running one only what its own processes do not change is checked.
 * @throws LxcvError `root-shared`, `not-movable`, `other-file-system`, `container-in-use`, `container-edited`, `legacy-config`,
 * `idmapped`, `backing-store`, `base-missing`, `delta-not-keepable`, `too-long`, `no-space`, `unsafe-owner`.
 */
export async function checkAdoptable(
  context: Context,
  container: Container,
  state: 'stopped' | 'running',
): Promise<Adoptable> {
  const { files } = context.host;
  checkReadable(context, container);
  checkMarker(context, container);
  const origin = originOf(context, container);
  checkOwners(context, container, origin);
  await checkDirectory(context, container, origin);
  const { isLower } = await checkOwnRoot(context, container, origin);
  const repository = new RepositoryLayout(
    storeRoot(context.host.files, context.lxcpath),
    container.name as string as RepositoryName,
  );
  checkMovable(context, container, repository, origin.delta);
  for (const lower of origin.lowers) {
    if (files.statTarget(lower)?.type === 'directory') continue;
    throw new LxcvError(
      'base-missing',
      `the lower directory ${lower} of ${container.name} is not there`,
      'Bring it back first.',
    );
  }
  if (state === 'stopped') {
    checkUnused(context, container, origin.delta);
    await checkContent(context, container, origin);
  }
  const { delta: upper } = repository.version(newId(context.host.randomBytes));
  // As many as may have to be mounted: the root file system or the bases, a keyframe, and a copy made while it runs.
  checkMountable([upper, upper, upper, ...origin.lowers, repository.guard(container.name)], upper, container.options);
  checkSpace(context, `the commit of ${container.name}`);
  checkHoldsUppers(context, container);
  return { ...origin, isLower };
}

/** @throws LxcvError `backing-store`, or, of what a symbolic link leads to, as `checkOwnRoot`. */
async function checkDirectory(context: Context, container: Container, origin: Origin): Promise<void> {
  const { files } = context.host;
  const { name, layout } = container;
  const { delta, lowers } = origin;
  const type = files.stat(delta)?.type;
  if (type === 'directory') return;
  const what = `${delta}, the root file system of ${name},`;
  const correct = `Start it once with LXC to see what is wrong, or correct ${layout.config}.`;
  if (type !== 'symlink') {
    throw new LxcvError(
      'backing-store',
      `${what} is not a directory`,
      `lxcv versions containers on dir and overlay. ${correct}`,
    );
  }
  const target = files.realPath(delta);
  if (target === undefined || files.stat(target)?.type !== 'directory') {
    const leads = files.readLink(delta).toString('utf8');
    throw new LxcvError(
      'backing-store',
      `${what} is a symbolic link to ${leads}, where no directory is`,
      `Bring that back, or correct ${layout.config}.`,
    );
  }
  // The hint would else have somebody start it on what is another's, or on a version.
  await checkOwnRoot(context, container, { ...origin, delta: target });
  const path = lowers.length === 0 ? `dir:${target}` : formatRootfsPath(lowers, target);
  throw new LxcvError(
    'backing-store',
    `${what} is a symbolic link to ${target}, and lxcv moves directories`,
    `Name that directory in the config: echo 'lxc.rootfs.path = ${path}' >> ${layout.config}`,
  );
}

/** @throws LxcvError `legacy-config`, `idmapped`. */
function checkReadable({ host }: Context, { name, layout, config, options }: Container): void {
  const settings = obeyedSettings(host, config);
  const legacy = findLegacy(settings);
  if (legacy !== undefined) {
    throw new LxcvError(
      'legacy-config',
      `${layout.config} has ${legacy.key}, a key of LXC before 2.1, with which LXC does not start ${name}`,
      `Bring it up to date: lxc-update-config -c ${layout.config}`,
    );
  }
  const isMappedByMount = (options ?? '').split(',').some((option) => option.startsWith('idmap='));
  if (!hasIdMap(settings) && !isMappedByMount) return;
  throw new LxcvError(
    'idmapped',
    `${name} is unprivileged: lxcv cannot version containers with ${isMappedByMount ? 'the option idmap in lxc.rootfs.options' : 'lxc.idmap'} yet`,
    `Keep it with LXC for now: lxc-snapshot -P ${layout.lxcpath} -n ${name}`,
  );
}

/** Includes, and the directories above the root file system, must be root's alone; its own owner is the container's matter. @throws LxcvError `unsafe-owner`. */
function checkOwners({ host }: Context, { config }: Container, { delta }: Origin): void {
  const includes = obeyedSettings(host, config).filter(({ key }) => key === 'lxc.include');
  for (const { value } of includes) checkPathOwned(host.files, isAbsolute(value) ? value : resolve(value));
  checkPathOwned(host.files, delta, 'anybody');
}

function originOf(context: Context, container: Container): Origin {
  const { name, rootfs, options, layout } = container;
  if (rootfs.kind === 'directory') {
    checkOptions(name, options, layout.config);
    return { delta: rootfs.path, lowers: [] };
  }
  if (rootfs.kind === 'overlay' && !usesUserXattrs(options)) return { delta: rootfs.upper, lowers: rootfs.lowers };
  const what = rootfs.kind === 'other' ? rootfs.store : 'overlay with the option userxattr';
  throw new LxcvError(
    'backing-store',
    `${name} is on the backing store ${what}; lxcv versions containers on dir and overlay`,
    copyHint(context, container),
  );
}

/** Those that LXC makes flags of mount(2), and those that lxcv itself sets. LXC hands all others to overlayfs, which refuses what it does not know. */
const OPTIONS = new Set(
  `async atime defaults dev diratime dirsync exec lazytime noatime nodev nodiratime noexec norelatime nostrictatime nosuid
   relatime ro rw strictatime suid sync redirect_dir metacopy index nfs_export xino`.split(/\s+/),
);

/** A bind mount, which a plain root file system is mounted by, takes options that an overlay does not. */
function checkOptions(name: string, options: string | undefined, config: string): void {
  const unknown = (options ?? '')
    .split(',')
    .find((option) => option !== '' && !OPTIONS.has(option.split('=')[0] ?? ''));
  if (unknown === undefined) return;
  throw new LxcvError(
    'backing-store',
    `lxc.rootfs.options of ${name} has ${unknown}, which an overlay, as lxcv mounts it, does not take`,
    `Take it out of lxc.rootfs.options in ${config}, and commit again.`,
  );
}

/** Checks all that it holds. */
async function checkContent(context: Context, container: Container, { delta, lowers }: Origin): Promise<void> {
  const { name, layout } = container;
  const index = lowers.length === 0 ? undefined : `${dirname(delta)}/work/index`;
  const { files } = context.host;
  const shared = await findSharedForLong(context, delta, index);
  if (shared?.by !== undefined) throw held(shared.path, shared.by, name);
  if (shared !== undefined) throw alsoElsewhere(shared.path, name, copyHint(context, container));
  if (lowers.length === 0) {
    const misread = await runJob(context, 'looking for marks of other overlays', findMisread(files, delta));
    if (misread !== undefined) throw notKeepable(misread, delta, name, layout.config);
  }
  const levels = lowers.length === 0 ? 0 : await checkOverlaySupported(context, delta, `${dirname(delta)}/work`);
  await checkCountable(context, { container: name, before: lowers, after: [delta, ...lowers] }, levels);
}

/** A process that only walks through it, as another lxcv does that checks the same container, has left by the last check. */
async function findSharedForLong(
  context: Context,
  delta: string,
  index: string | undefined,
): Promise<Shared<Held> | undefined> {
  const { files, occupancy, signals, sleep } = context.host;
  for (let checks = 1; ; checks += 1) {
    const job = findShared(files, delta, occupancy.held(), index);
    const shared = await runJob(context, 'looking for files that others have too', job);
    if (shared?.by === undefined || checks === CHECKS) return shared;
    signals.check();
    await sleep(CHECK_AGAIN_MS);
  }
}

function held(path: BytePath, { holder, use }: Held, name: string): LxcvError {
  const [who, hint] = tellHolder(holder);
  return new LxcvError(
    'container-in-use',
    `${name} is stopped, but ${who} has ${tellPath(path)} of its root file system as ${use}`,
    hint,
  );
}

function tellHolder(holder: Held['holder']): [who: string, hint: string] {
  if ('loop' in holder) {
    return [holder.loop, `Unmount what is mounted from it, take it down, and try again: losetup -d ${holder.loop}`];
  }
  if ('swap' in holder) return ['the kernel', `Take it from the kernel, and try again: swapoff ${holder.swap}`];
  const { pid, name } = holder;
  return [`the process ${pid} (${name})`, `End it, or have it leave that, and try again: ps -fp ${pid}`];
}

function alsoElsewhere(path: BytePath, name: string, hint: string): LxcvError {
  return new LxcvError(
    'root-shared',
    `${tellPath(path)} in ${name} has a name outside of its root file system too (a hard link): who writes to that would change the version`,
    hint,
  );
}

/** Where programs keep the layers of containers of their own. */
const LAYERS_OF_OTHERS =
  /^(?:var\/lib\/(?:docker|containerd|containers|kubelet|lxcv?|lxd|incus)|var\/snap\/[^/]+)(?=\/|$)/;

function notKeepable(misread: Unsupported, rootfs: string, name: string, config: string): LxcvError {
  const [directory] = LAYERS_OF_OTHERS.exec(misread.path) ?? [];
  const outside = `${dirname(rootfs)}/${(directory ?? '').split('/').at(-1)}`;
  return new LxcvError(
    'delta-not-keepable',
    `${tellPath(misread.path)} in ${name} ${misread.reason}, and would be taken for one of lxcv's`,
    directory === undefined
      ? takeAway(misread, rootfs)
      : `Keep /${directory} on the host, bound in: mv ${rootfs}/${directory} ${outside} && mkdir ${rootfs}/${directory} && echo 'lxc.mount.entry = ${outside} ${directory} none bind 0 0' >> ${config}`,
  );
}

function takeAway({ path, xattr }: Unsupported, rootfs: string): string {
  if (xattr === undefined || !isNote(xattr))
    return 'Remove it, or keep what it belongs to outside of the root file system, bound in by lxc.mount.entry, and commit again.';
  const place = path === ROOT ? rootfs : `${rootfs}/${quoted(path)}`;
  return `If no overlay has it in its upper directory any more, take the mark away, and commit again: setfattr -h -x ${xattr} ${place}`;
}
