/** The mount table of a mount namespace: proc_pid_mountinfo(5). */

import { unescapeOctal } from '../model/octal.js';

export interface MountEntry {
  readonly id: number;
  /** The mount that it is on. */
  readonly parent: number;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** What of the file system is mounted: a path in that. */
  readonly root: string;
  readonly place: string;
  /** Of its file system: `ext4`, `fuse.sshfs`. */
  readonly type: string;
  /** Of its file system, as they stand there. */
  readonly options: string;
}

/** @param table its bytes, as latin1. @param device leaves out other file systems. */
export function parseMountInfo(table: string, device?: string): MountEntry[] {
  return table.split('\n').flatMap((line) => {
    const [id, parent, on = '', root = '', place = ''] = line.split(' ', 5);
    if (id === undefined || id === '' || (device !== undefined && on !== device)) return [];
    const [type = '', , options = ''] = line.slice(line.indexOf(' - ') + 3).split(' ');
    const paths = { root: decodeField(root), place: decodeField(place) };
    return [{ id: Number(id), parent: Number(parent), device: on, ...paths, type: decodeField(type), options }];
  });
}

/** mountinfo and swaps have bytes, some of them in octal. */
export function decodeField(text: string): string {
  return Buffer.from(unescapeOctal(text), 'latin1').toString('utf8');
}

/**
 * The upper directory of an overlay, by its options as they stand there: mountinfo's octal escapes are undone, and then overlayfs's
 * backslashes. @returns its path as latin1; undefined where it has none.
 */
export function upperOf(options: string): string | undefined {
  const upper = /(?:^|,)upperdir=([^,]*)/.exec(options)?.[1];
  return upper && unescapeOctal(upper).replace(/\\(.)/gs, '$1');
}
