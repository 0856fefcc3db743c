/**
 * What makes a copied config that of a container of its own: the rewrites of `lxc-copy`, for what stands in the file itself.
 * Unlike it, they respect where a path's part ends, and keep a private file's place below the container's directory.
 * Source: lxc 5.0.2, `copyhooks` and `copy_fstab` in src/lxc/lxccontainer.c, `network_new_hwaddrs` and
 * `clone_update_unexp_ovl_paths` in confile.c, `new_hwaddr` in confile_utils.c.
 */

import { type LxcConfig, mapValues, settingsOf, setValue } from './lxc-config.js';
import type { ContainerName } from './version.js';

/** From which container to which; directories are absolute and without a trailing slash: `/var/lib/lxc/mysql`. */
export interface Clone {
  readonly oldDirectory: string;
  readonly newDirectory: string;
  readonly newName: ContainerName;
  /** Called once for each hardware address in the file. */
  readonly newHwaddr: () => string;
}

const HWADDR = /^lxc\.net\.\d+\.hwaddr$/;
const HOOK = /^lxc\.hook\./;
const FSTAB = 'lxc.mount.fstab';
/** A hook is a command line of sh(1): the script, then perhaps arguments. */
const SCRIPT = /^[^ \t]+/;
const OVERLAY_MOUNT = /^[^ \t]+[ \t]+[^ \t]+[ \t]+overlay(?:fs)?[ \t]/;
const UPPER_OR_WORK = /(?<=[ \t,](?:upperdir|workdir)=)[^ \t,]+/g;

/**
 * The config for a clone: its own host name and hardware addresses; private hooks and fstab, and the upper and work
 * directories of overlay mounts, under the new directory. The private files themselves are the caller's to copy, each to
 * the same path below the new directory: see `privateFiles`.
 */
export function rewriteForClone(config: LxcConfig, clone: Clone): LxcConfig {
  const rebase = (path: string) => {
    const tail = pathBelow(clone.oldDirectory, path);
    return tail === undefined ? path : clone.newDirectory + tail;
  };
  const rebased = mapValues(config, ({ key, value }) => {
    if (HWADDR.test(key)) return value === '' ? value : clone.newHwaddr();
    if (HOOK.test(key)) return value.replace(SCRIPT, rebase);
    if (key === FSTAB) return rebase(value);
    if (key === 'lxc.mount.entry' && OVERLAY_MOUNT.test(value)) return value.replace(UPPER_OR_WORK, rebase);
    return value;
  });
  return setValue(rebased, 'lxc.uts.name', clone.newName);
}

/**
 * The hook scripts and fstabs that this file names below the container's directory, as paths relative to it, each once.
 * A line that a later one clears or replaces counts too, so a file need not exist.
 */
export function privateFiles(config: LxcConfig, directory: string): string[] {
  const named = settingsOf(config).flatMap(({ key, value }) => {
    if (key === FSTAB) return [value];
    return HOOK.test(key) ? (SCRIPT.exec(value) ?? []) : [];
  });
  const files = named.map((path) => simplify(pathBelow(directory, path) ?? ''));
  return [...new Set(files)].filter((path) => path !== '');
}

/** A hardware address as LXC 5 gives to a clone: Xen's prefix, then three random bytes. */
export function newHwaddr(randomBytes: (count: number) => Uint8Array): string {
  const bytes = [0x00, 0x16, 0x3e, ...randomBytes(3)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** What follows `directory` in a path that is it or lies below it; undefined for any other, and for one with `..`. */
function pathBelow(directory: string, path: string): string | undefined {
  if (!`${path}/`.startsWith(`${directory}/`) || path.split('/').includes('..')) return undefined;
  return path.slice(directory.length);
}

/** `/hooks//./start` is `hooks/start`. */
function simplify(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
