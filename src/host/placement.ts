/** Where a directory lies, as far as that says whether it can be moved: statx(2)'s mount and flags, and its project. */

import { closeSync, constants, openSync } from 'node:fs';
import { AT_FDCWD, libc } from './libc.js';
import { statxOf } from './native.js';

/** linux/stat.h: the mask that asks for the mount, where it is, and the bits of `stx_attributes`, which is a word at 8. */
const STATX_MNT_ID = 0x1000;
const MOUNT_AT = 144;
const ATTRIBUTES_AT = 8;
const IMMUTABLE = 0x10n;
const APPEND_ONLY = 0x20n;
const MOUNT_ROOT = 0x2000n;
/** linux/fs.h: struct fsxattr has its flags at 0 and the project at 12. */
const FS_IOC_FSGETXATTR = 0x801c581f;
const FSXATTR_BYTES = 28;
const XFLAG_PROJINHERIT = 0x200;

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
function projectOf(path: string): { readonly project: number; readonly inherits: boolean } {
  const none = { project: 0, inherits: false };
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return none;
  }
  try {
    const { ioctl, address } = libc();
    const attributes = Buffer.alloc(FSXATTR_BYTES);
    if (ioctl(fd, FS_IOC_FSGETXATTR, Number(address(attributes))) !== 0) return none;
    return {
      project: attributes.readUInt32LE(12),
      inherits: (attributes.readUInt32LE(0) & XFLAG_PROJINHERIT) !== 0,
    };
  } finally {
    closeSync(fd);
  }
}
