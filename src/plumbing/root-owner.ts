/**
 * Checks whether a root file system is a container's alone. A config can name anything: what another container, a snapshot or a
 * store has, a part of the host's. All of that is known by device and inode.
 */

import type { FilesRead } from '../host/files.js';
import { withoutRemote } from '../host/remote.js';
import { parseRootfsPath } from '../layer/overlayfs.js';
import { LxcvError } from '../model/errors.js';
import { markerOf, type Setting } from '../model/lxc-config.js';
import type { Container } from '../store/containers.js';
import { storeFile, storeRoot, versionsIn } from '../store/layout.js';
import { obeyedSettings, otherConfigs } from '../store/other-configs.js';
import type { Context } from './context.js';
import { chainOf, chainOfPresent, type DirectoryId, directoryId } from './directory-chain.js';
import { checkHooks, othersReach } from './root-hooks.js';
import { aliasesOf } from './root-use.js';

/** Where a container's own files are, and what lies under them. */
export interface Origin {
  /** The upper directory, or the whole root file system. */
  readonly delta: string;
  /** The lower directories, top first; none under a whole root file system. */
  readonly lowers: readonly string[];
}

/** Directories of the host itself, none of which is a container's root. */
const HOST_DIRECTORIES =
  '/bin /boot /dev /etc /home /lib /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /var'.split(' ');

/**
 * @returns whether other containers have the root file system as a lower directory: then its path must go on leading to it.
 * @throws LxcvError `root-shared` where it is, or holds, what is not the container's alone; `not-movable` where the config names
 * it by its path elsewhere than in `lxc.rootfs.path`.
 */
export async function checkOwnRoot(
  context: Context,
  container: Container,
  origin: Origin,
): Promise<{ isLower: boolean }> {
  const { files, lxc, occupancy } = context.host;
  const defaultLxcpath = await lxc.defaultPath().catch(() => undefined);
  const root = directoryId(files, origin.delta) as DirectoryId;
  const local = withoutRemote(files, occupancy.mounts(), [origin.delta, container.layout.root]);
  checkHoldsNothing(context, local, container, origin, root);
  checkStore(context, container, origin);
  checkDirectories(context, local, container, origin);
  checkMark(context, container);
  checkOwnConfig(context, local, container, origin, root, defaultLxcpath);
  return checkOtherConfigs(context, local, container, origin, root, defaultLxcpath);
}

function checkHoldsNothing(
  context: Context,
  local: FilesRead,
  container: Container,
  { delta, lowers }: Origin,
  root: DirectoryId,
): void {
  const store = storeRoot(context.host.files, context.lxcpath);
  const config = container.layout.config;
  const hint = `Name a directory of its own as lxc.rootfs.path in ${config}.`;
  for (const place of [container.layout.root, context.lxcpath, store, ...lowers]) {
    if (chainOf(local, place).has(root)) throw shared(container, delta, `is, or holds, ${place}`, hint);
  }
  for (const place of HOST_DIRECTORIES) {
    if (chainOf(local, place).has(root)) throw shared(container, delta, 'is a directory of the host', hint);
  }
}

/** Refuses a root file system in a store: it is a version's, or a versioned container's. */
function checkStore(context: Context, container: Container, origin: Origin): void {
  const store = storeAbove(context, origin.delta);
  if (store === undefined) return;
  throw shared(container, origin.delta, `lies in the store ${store}`, copyHint(container, origin));
}

/** Refuses one in the directory of another container. */
function checkDirectories(context: Context, local: FilesRead, container: Container, origin: Origin): void {
  const own = chainOf(local, container.layout.root);
  for (const alias of aliasesOf(context, origin.delta)) {
    for (const [id, directory] of chainOf(local, alias)) {
      if (own.has(id) || alias === directory || !isContainer(local, directory)) continue;
      throw shared(
        container,
        origin.delta,
        `lies in ${directory}, which is another container's`,
        copyHint(container, origin, counterpart(context, container, origin, directory)),
      );
    }
  }
}

/** Refuses a config of a versioned container that was copied with its marker, under the same name. */
function checkMark(context: Context, { name, config, layout }: Container): void {
  const marker = markerOf(config);
  if (marker?.container !== name || context.host.files.stat(versionsIn(marker.repository)) === undefined) return;
  throw new LxcvError(
    'root-shared',
    `${layout.config} says that ${name} is versioned in ${marker.repository}, the store of another lxcpath`,
    `If this is a copy with a root file system of its own, take that line away: sed -i '/^# lxcv: /d' ${layout.config}`,
  );
}

/** Refuses settings that name a path in the root file system: they would name nothing once that has moved. */
function checkOwnConfig(
  context: Context,
  local: FilesRead,
  container: Container,
  { delta, lowers }: Origin,
  root: DirectoryId,
  defaultLxcpath: string | undefined,
): void {
  const { files } = context.host;
  const settings = obeyedSettings(context.host, container.config);
  const mount = { key: 'lxc.rootfs.mount', path: lastValueOf(settings, 'lxc.rootfs.mount'), isTarget: false };
  for (const { key, path, isTarget } of [...(mount.path.startsWith('/') ? [mount] : []), ...pathsIn(files, settings)]) {
    // LXC takes this prefix off by itself.
    if (isTarget && `${path}/`.startsWith(`${defaultLxcpath}/${container.name}/rootfs/`)) continue;
    if (!chainOfPresent(local, path).has(root)) continue;
    throw new LxcvError(
      'not-movable',
      `${key} of ${container.name} names ${path}, in its root file system ${delta}, which a commit moves`,
      isTarget
        ? 'Name the target without a slash before it: it is then one in the container.'
        : `Move what it names out of ${delta}, and correct ${container.layout.config}.`,
    );
  }
  checkHooks(files, local, container, settings, { delta, isPlain: lowers.length === 0 }, root);
}

function checkOtherConfigs(
  context: Context,
  local: FilesRead,
  container: Container,
  origin: Origin,
  root: DirectoryId,
  defaultLxcpath: string | undefined,
): { isLower: boolean } {
  const own = chainOf(local, container.layout.root);
  const above = new Set([...chainOf(local, origin.delta).keys()].filter((id) => !own.has(id)));
  const findReach = othersReach(local, container, origin.delta, root);
  let isLower = false;
  const lxcpaths = [...(defaultLxcpath === undefined ? [] : [defaultLxcpath]), ...context.host.lxc.knownPaths()];
  for (const { path: config, settings } of otherConfigs(context.host, container.layout, lxcpaths)) {
    const refuse = (path: string, what: string) =>
      shared(
        container,
        origin.delta,
        `is not its own alone: ${config} has ${path} as ${what}`,
        `Correct ${config}, or see copies and leftovers of a clone away, and commit ${container.name} again.`,
      );
    const { roots, lowers } = rootsIn(settings);
    for (const path of roots) {
      const chain = chainOfPresent(local, path);
      const id = directoryId(local, path);
      if (chain.has(root) || (id !== undefined && above.has(id))) throw refuse(path, 'its root file system');
    }
    for (const path of lowers.filter((each) => chainOfPresent(local, each).has(root))) {
      if (origin.lowers.length > 0) throw refuse(path, 'a lower directory');
      isLower = true;
    }
    for (const { key, path } of pathsIn(local, settings)) {
      if (chainOfPresent(local, path).has(root)) throw refuse(path, key);
    }
    const reach = findReach(settings);
    if (reach === undefined) continue;
    throw shared(
      container,
      origin.delta,
      `is not its own alone: ${reach.key} of ${config} (${reach.where}) names ${reach.names}`,
      `Have ${reach.isProgram ? reach.where : config} do without it, and commit ${container.name} again.`,
    );
  }
  return { isLower };
}

/** What a config has for its root: `roots` are written to. The keys are those of LXC now and before 2.1. */
function rootsIn(settings: readonly Setting[]): { roots: string[]; lowers: string[] } {
  const last = (key: string) => lastValueOf(settings, key);
  const paths = [last('lxc.rootfs.path'), last('lxc.rootfs')].map(parseRootfsPath);
  const roots = paths.flatMap((path) =>
    path.kind === 'directory' ? path.path : path.kind === 'overlay' ? path.upper : [],
  );
  const lowers = paths.flatMap((path) => (path.kind === 'overlay' ? path.lowers : []));
  return { roots: [...roots, last('lxc.rootfs.mount')].filter((path) => path.startsWith('/')), lowers };
}

function lastValueOf(settings: readonly Setting[], key: string): string {
  return settings.findLast((setting) => setting.key === key)?.value ?? '';
}

const ROOTFS_KEY = /^lxc\.rootfs(?:\.path|\.mount)?$/;

/** The absolute paths in all other settings, and in the fstab that one may name; `isTarget`: where in the container something is mounted. */
function* pathsIn(
  files: FilesRead,
  settings: readonly Setting[],
): Generator<{ key: string; path: string; isTarget: boolean }> {
  for (const { key, value } of settings) {
    if (ROOTFS_KEY.test(key)) continue;
    const isFstab = key === 'lxc.mount.fstab' || key === 'lxc.mount';
    if (isFstab && isFile(files, value)) {
      const lines = files
        .read(files.realPath(value) ?? value)
        .toString('utf8')
        .split('\n');
      for (const line of lines.filter((each) => !each.startsWith('#'))) yield* pathsInEntry(key, line);
    }
    yield* key === 'lxc.mount.entry' ? pathsInEntry(key, value) : absolutePaths(key, value);
  }
}

function* pathsInEntry(key: string, entry: string): Generator<{ key: string; path: string; isTarget: boolean }> {
  const [, target] = entry.trim().split(/\s+/);
  for (const found of absolutePaths(key, entry)) yield { ...found, isTarget: found.path === target };
}

function absolutePaths(key: string, value: string): { key: string; path: string; isTarget: boolean }[] {
  const paths = value.split(/[\s:,="']+/).filter((part) => part.startsWith('/'));
  return paths.map((path) => ({ key, path, isTarget: false }));
}

/** The root of the store that a path lies in, if it does: of the nearest one. */
function storeAbove({ host: { files } }: Context, path: string): string | undefined {
  return [...chainOf(files, path).values()].find((directory) => files.stat(storeFile(directory))?.type === 'file');
}

/** False for what cannot be a path: another container's config may have anything. */
function isFile(files: FilesRead, path: string): boolean {
  return directoryId(files, path) !== undefined && files.statTarget(path)?.type === 'file';
}

function isContainer(files: FilesRead, directory: string): boolean {
  const config = `${directory}/config`;
  if (!isFile(files, config)) return false;
  return /^[ \t]*lxc\./m.test(files.read(files.realPath(config) ?? config).toString('latin1'));
}

/** The directory in the container's own directory that is where its root file system is in another container's. */
function counterpart(
  { host: { files } }: Context,
  { layout }: Container,
  { delta }: Origin,
  other: string,
): string | undefined {
  const real = files.realPath(delta) ?? delta;
  const own = `${layout.root}${real.slice(other.length)}`;
  return real.startsWith(`${other}/`) && files.stat(own)?.type === 'directory' ? own : undefined;
}

/** @param own a directory that is there, and could be the root file system that is meant. */
function copyHint({ layout }: Container, { delta, lowers }: Origin, own?: string): string {
  const place = own ?? (lowers.length === 0 ? `${layout.root}/rootfs` : `${layout.root}/overlay/delta`);
  const path = lowers.length === 0 ? `dir:${place}` : `overlay:${[...lowers, place].join(':')}`;
  const rewrite = `sed -i 's|^lxc.rootfs.path.*|lxc.rootfs.path = ${path}|' ${layout.config}`;
  if (own !== undefined) return `If it is a copy, name its own: ${rewrite}`;
  const parent = lowers.length === 0 ? '' : `mkdir -p ${layout.root}/overlay && `;
  return `Give it one of its own: ${parent}cp -a ${delta} ${place} && ${rewrite}`;
}

function shared({ name }: Container, delta: string, why: string, hint: string): LxcvError {
  return new LxcvError('root-shared', `${delta}, the root file system of ${name}, ${why}`, hint);
}
