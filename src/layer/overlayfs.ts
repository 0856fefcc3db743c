/**
 * The kernel's overlay file system, as lxcv uses it: the extended attributes and whiteouts of a delta, the mount options that make a delta
 * complete in itself, and how LXC writes a mount. Sources: Documentation/filesystems/overlayfs.rst of Linux, `ovl_mount` of lxc 5.0.2.
 */

import type { FilesRead, Stat } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import type { EntryType } from '../model/entry.js';

/** What every mount of lxcv's deltas is pinned to, whatever the distribution's defaults are. */
const PINNED_OPTIONS = 'redirect_dir=off,metacopy=off,index=off,nfs_export=off,xino=off';

const PREFIX = 'trusted.overlay.';
/** An overlay inside the container writes its attributes through the outer one, which stores them with this prefix. */
const NESTED_PREFIX = 'trusted.overlay.overlay.';
export const OPAQUE = `${PREFIX}opaque`;
const WHITEOUT = `${PREFIX}whiteout`;

/**
 * LXC gives mount(2) its options as one string: past a page the kernel drops layers, or fails. Chains are kept shorter than
 * need be, for a container with a longer name mounts more.
 */
const MOUNT_STRING_MAX = 4000;
const MOUNT_STRING_GOAL = 3500;

/** What a directory of a layer does with the same one below: with `xwhiteouts` it is merged, and an empty file with an attribute is a whiteout. */
export type DirectoryKind = 'merged' | 'opaque' | 'xwhiteouts';

export function readDirectoryKind(files: FilesRead, path: HostPath): DirectoryKind {
  const value = files.xattr(path, OPAQUE)?.toString('latin1');
  if (value === 'y') return 'opaque';
  return value === 'x' ? 'xwhiteouts' : 'merged';
}

/** True for a whiteout: a character device 0/0 or, in a directory with `xwhiteouts`, an empty file with an attribute. */
export function isWhiteout(
  files: FilesRead,
  entry: { readonly type: EntryType; readonly stat: Stat; readonly location: HostPath },
  directory: { readonly directoryKind: DirectoryKind },
): boolean {
  if (entry.type === 'char') return entry.stat.rawDevice === 0n;
  if (entry.type !== 'file' || directory.directoryKind !== 'xwhiteouts') return false;
  return entry.stat.size === 0 && files.xattr(entry.location, WHITEOUT) !== undefined;
}

/** True for an attribute that is overlayfs's own, and none of the container's. */
export function isBookkeeping(xattr: string): boolean {
  return xattr.startsWith(PREFIX) && !xattr.startsWith(NESTED_PREFIX);
}

/** True for what overlayfs notes for itself of files that an upper directory holds whole: without it these stay as they are. */
export function isNote(xattr: string): boolean {
  return ['uuid', 'origin', 'impure', 'nlink'].some((name) => xattr === `${PREFIX}${name}`);
}

/** The name by which the container knows an attribute: what an overlay of its own wrote has one prefix more outside. */
export function nameInside(xattr: string): string {
  return xattr.startsWith(NESTED_PREFIX) ? `${PREFIX}${xattr.slice(NESTED_PREFIX.length)}` : xattr;
}

/** What overlayfs has instead of the attributes i and a of chattr(1), which would keep it from changing the file itself. */
export const PROTATTR = `${PREFIX}protattr`;

/** Why overlayfs would not keep a path of an upper directory once that is a lower one, or undefined where it will. */
export function unsupportedFeature(xattr: string): string | undefined {
  switch (xattr) {
    case `${PREFIX}redirect`:
      return 'was renamed under redirect_dir=on: its content lies elsewhere';
    case `${PREFIX}metacopy`:
      return 'holds no content of its own, from metacopy=on';
    case PROTATTR:
      return 'has the attribute i or a of chattr, which a lower layer loses';
    default:
      return undefined;
  }
}

/** The attributes of overlayfs that a copy of a layer keeps: those that a lower layer may have, and those that are to be found and refused. */
export function isKeptByCopies(xattr: string): boolean {
  return xattr === OPAQUE || xattr === WHITEOUT || unsupportedFeature(xattr) !== undefined;
}

/** `lxc.rootfs.path`, taken apart. `other` is a backing store that lxcv does not version. */
export type RootfsPath =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'overlay'; readonly lowers: readonly string[]; readonly upper: string }
  | { readonly kind: 'other'; readonly store: string };

export function parseRootfsPath(text: string): RootfsPath {
  const overlay = /^overlay(?:fs)?:(.*)$/s.exec(text)?.[1];
  if (overlay !== undefined) {
    const parts = overlay.split(/:(?=\/)/).map(trimSlashes);
    const upper = parts.pop() as string;
    return parts.length === 0 ? { kind: 'other', store: 'overlay' } : { kind: 'overlay', lowers: parts, upper };
  }
  const path = text.replace(/^dir:/, '');
  if (path.startsWith('/') && !path.startsWith('/dev/')) return { kind: 'directory', path: trimSlashes(path) };
  return { kind: 'other', store: path.startsWith('/dev/') ? 'block device' : path.split(':')[0] || 'none' };
}

/** The value of `lxc.rootfs.path` for lowers, top first, and an upper directory. */
export function formatRootfsPath(lowers: readonly string[], upper: string): string {
  return `overlay:${[...lowers, upper].join(':')}`;
}

/** The value of `lxc.rootfs.options`: the pinned options, and those of a container's own that they leave open. */
export function pinOptions(own: string | undefined): string {
  const pinned = new Set(PINNED_OPTIONS.split(',').map(optionName));
  const kept = splitOptions(own).filter((option) => !pinned.has(optionName(option)));
  return [PINNED_OPTIONS, ...kept].join(',');
}

/** True where a container's overlay has its attributes as `user.overlay.*`, which a mount with the pinned options does not read. */
export function usesUserXattrs(options: string | undefined): boolean {
  return splitOptions(options).includes('userxattr');
}

/** True where LXC can mount these directories in one call of mount(2). */
export function isMountable(lowers: readonly string[], upper: string, options: string): boolean {
  return mountStringBytes(lowers, upper, options) <= MOUNT_STRING_MAX;
}

/** True where these directories can be mounted, with room for what a container of another name adds. */
export function fitsMountString(lowers: readonly string[], upper: string, options: string): boolean {
  return mountStringBytes(lowers, upper, options) <= MOUNT_STRING_GOAL;
}

function mountStringBytes(lowers: readonly string[], upper: string, options: string): number {
  const work = `${upper.slice(0, upper.lastIndexOf('/'))}/work`;
  return Buffer.byteLength(`upperdir=${upper},lowerdir=${lowers.join(':')},workdir=${work},${options}`);
}

/** The options of mount(2) for reading a tree: at least two lower directories, top first, and none to write to. */
export function readOnlyMountOptions(lowers: readonly string[]): string {
  return `lowerdir=${lowers.join(':')},${PINNED_OPTIONS}`;
}

/** A symbolic link with a slash behind it is followed; without, it is seen. */
function trimSlashes(path: string): string {
  return path.endsWith('/') ? path.replace(/(?<=.)\/+$/, '') : path;
}

function splitOptions(options: string | undefined): string[] {
  return (options ?? '').split(',').filter((option) => option !== '');
}

function optionName(option: string): string {
  return option.split('=')[0] as string;
}
