/** What a path of a tree can be, and all that is to be known of it. */

import type { BytePath } from './byte-path.js';

/** The types of POSIX; `char` and `block` are device nodes. */
export type EntryType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block';

/** A path of a delta, as a sealed listing has it. */
export interface Entry {
  /** In its directory; `''` is the root. */
  readonly name: BytePath;
  readonly type: EntryType;
  /** The 12 permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** In bytes; of a regular file alone. */
  readonly size?: number | undefined;
  /** SHA-256 in 64 hex digits; of a regular file alone. */
  readonly digest?: string | undefined;
  /** What a symbolic link says, a character a byte. */
  readonly target?: string | undefined;
  /** The raw dev_t of a device node; 0n is a whiteout. */
  readonly rawDevice?: bigint | undefined;
  /** Values by name, a character a byte in the name; sorted by name. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** What `ls -l` shows of a path. */
export interface PathInfo extends Pick<Entry, 'type' | 'mode' | 'uid' | 'gid' | 'mtimeNs'> {
  /** In bytes, as lstat(2) has it for any type. */
  readonly size: number;
  /** What a symbolic link says, a character a byte. */
  readonly target?: string;
  /** Of a device node. */
  readonly device?: { readonly major: number; readonly minor: number };
}

/** A path of a directory. */
export interface NamedPath extends PathInfo {
  readonly name: BytePath;
}
