/** Where a directory lies, as far as that says whether it can be moved: statx(2)'s mount and flags, and its project. */

import { closeSync, constants, openSync } from 'node:fs';
import { AT_FDCWD } from './libc.js';
import { statxOf } from './native.js';
import { type Project, readProject } from './projects.js';

/** linux/stat.h: the mask that asks for the mount, where it is, and the bits of `stx_attributes`, which is a word at 8. */
const STATX_MNT_ID = 0x1000;
const MOUNT_AT = 144;
const ATTRIBUTES_AT = 8;
const IMMUTABLE = 0x10n;
const APPEND_ONLY = 0x20n;
const MOUNT_ROOT = 0x2000n;

export interface Placement {
  /** The id of the mount by which it is reached: the first field of mountinfo. A rename goes from one mount to no other. */
  readonly mount: number;
  /** True for the root of a mount. */
  readonly isMountPoint: boolean;
  /** The attribute of chattr(1) that keeps it, or what it holds, from being renamed. */
  readonly attribute: 'i' | 'a' | undefined;
  /** Its project, for quotas: 0 where it has none. */
  readonly project: number;
  /** The only project that it takes in, where it is told to hand its own on. */
  readonly takesOnly: number | undefined;
}

/** See `Files`. */
export function placementOf(path: string): Placement | undefined {
  const view = statxOf(AT_FDCWD, path, 0, STATX_MNT_ID);
  if (view === undefined) return undefined;
  const attributes = view.getBigUint64(ATTRIBUTES_AT, true);
  const mount = Number(view.getBigUint64(MOUNT_AT, true));
  const attribute = (attributes & IMMUTABLE) !== 0n ? 'i' : (attributes & APPEND_ONLY) !== 0n ? 'a' : undefined;
  const { project, inherits } = projectOf(path);
  return {
    mount,
    isMountPoint: (attributes & MOUNT_ROOT) !== 0n,
    attribute,
    project,
    takesOnly: inherits ? project : undefined,
  };
}

/** Of a directory; a file system without projects has none. */
function projectOf(path: string): Project {
  const none = { project: 0, inherits: false };
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return none;
  }
  try {
    return readProject(fd);
  } finally {
    closeSync(fd);
  }
}
