/** Checks whether anybody has a root file system, or a part of it, mounted, or runs in it, as mountinfo has it. */

import { type MountEntry, upperOf } from '../host/mount-table.js';
import { withoutRemote } from '../host/remote.js';
import { LxcvError } from '../model/errors.js';
import type { Container } from '../store/containers.js';
import type { Context } from './context.js';
import { directoryId } from './directory-chain.js';

/** Where a directory lies in its file system, whatever is mounted how. */
interface PlaceInFileSystem {
  readonly mount: MountEntry;
  /** As mountinfo counts: the root of a file system is `/`. */
  readonly path: string;
}

/** Every path by which a directory can be reached: its own, and those by other mounts of its file system that lie on no remote one. */
export function aliasesOf(context: Context, directory: string): string[] {
  const { files, occupancy } = context.host;
  const real = files.realPath(directory) ?? directory;
  const mounts = occupancy.mounts();
  const local = withoutRemote(files, mounts, [real]);
  const place = findPlace(context, real, mounts);
  if (place === undefined) return [real];
  const aliases = mounts
    .filter(({ device, root }) => device === place.mount.device && isBelow(root, place.path))
    .map(({ root, place: at }) => join(at, relative(root, place.path)));
  const id = directoryId(files, real);
  return [...new Set([real, ...aliases])].filter((path) => directoryId(local, path) === id);
}

/**
 * @param delta the root file system: an upper directory, or a plain one.
 * @throws LxcvError `container-in-use` where it is a process's root, or it or a part of it is mounted; `not-movable` where something
 * is mounted in it.
 */
export function checkUnused(context: Context, { name }: Container, delta: string): void {
  const { files, occupancy } = context.host;
  const process = occupancy.rootProcess(delta);
  if (process !== undefined) {
    throw new LxcvError(
      'container-in-use',
      `${name} is stopped, but the process ${process.pid} (${process.name}) has ${delta} as its root: is it another container's too?`,
      `End it, or stop what it belongs to, and try again: ps -fp ${process.pid}`,
    );
  }
  const real = files.realPath(delta) ?? delta;
  const mounts = occupancy.mounts();
  const place = findPlace(context, real, mounts);
  if (place === undefined) return;
  const aliases = aliasesOf(context, delta);
  const inside = mounts.find((mount) => aliases.some((alias) => isBelow(alias, mount.place)));
  if (inside !== undefined) {
    throw new LxcvError(
      'not-movable',
      `something is mounted on ${inside.place}, in the root file system of ${name}: that is no part of what a version would hold`,
      `Unmount it, and have LXC mount it where it is needed (lxc.mount.entry): umount ${inside.place}`,
    );
  }
  checkNoUppers(context, name, real, mounts);
  const { device } = place.mount;
  const isPartMounted = ({ device: of, root }: MountEntry) => of === device && isBelow(place.path, root);
  const here = mounts.find(isPartMounted);
  if (here !== undefined) throw partMounted(here, name, '', 'umount');
  const elsewhere = occupancy.mountsElsewhere(device).find(isPartMounted);
  if (elsewhere === undefined) return;
  const { pid, name: program } = elsewhere.seenBy;
  throw partMounted(
    elsewhere,
    name,
    ` of the mount namespace of the process ${pid} (${program})`,
    `nsenter -t ${pid} -m -r umount`,
  );
}

/** An overlay of this mount namespace that writes to a directory of the root file system: mountinfo has its own device alone. */
function checkNoUppers({ host: { files } }: Context, name: string, real: string, mounts: readonly MountEntry[]): void {
  for (const { type, options, place } of mounts) {
    const upper = type === 'overlay' ? upperOf(options) : undefined;
    const directory = upper && files.realPath(Buffer.from(upper, 'latin1').toString('utf8'));
    if (!directory || !isBelow(real, directory)) continue;
    throw new LxcvError(
      'container-in-use',
      `the overlay on ${place} writes to ${directory}, in the root file system of ${name}`,
      `Unmount it, or stop what uses it, and try again: umount ${place}`,
    );
  }
}

function partMounted({ root, place }: MountEntry, name: string, where: string, unmount: string): LxcvError {
  return new LxcvError(
    'container-in-use',
    `${root} of the root file system of ${name} is mounted on ${place}${where}, where it could be written to behind lxcv's back`,
    `Unmount it, or stop what uses it, and try again: ${unmount} ${place}`,
  );
}

function findPlace(
  { host: { files } }: Context,
  real: string,
  mounts: readonly MountEntry[],
): PlaceInFileSystem | undefined {
  const id = files.placement(real)?.mount;
  const mount = mounts.find((each) => each.id === id);
  return mount && { mount, path: join(mount.root, relative(mount.place, real)) };
}

/** True where a path is a directory's own, or that of something in it. */
function isBelow(directory: string, path: string): boolean {
  return directory === '/' || `${path}/`.startsWith(`${directory}/`);
}

function relative(directory: string, path: string): string {
  return directory === '/' ? path.slice(1) : path.slice(directory.length + 1);
}

function join(directory: string, rest: string): string {
  if (rest === '') return directory;
  return directory === '/' ? `/${rest}` : `${directory}/${rest}`;
}
