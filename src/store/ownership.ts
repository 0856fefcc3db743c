/**
 * Whose the files are that lxcv obeys: root's alone, as git's `safe.directory` has it, but with no list of exceptions. Who can write to a
 * store's operation log has root rename and remove any file, and who can write to a hook has root run it.
 * See docs/decisions/0024-whose-store.md.
 */

import { dirname, isAbsolute, join } from 'node:path';
import { type FilesRead, type OpenStat, unlessGone } from '../host/files.js';
import { LxcvError } from '../model/errors.js';

/** As many as the kernel follows. */
const LINKS_MAX = 40;
const OWNER = 0;
const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/**
 * Looks at a path, and at every directory and symbolic link on the way to it: whoever owns one of these, or can write to it, can put
 * something else in its place. What is not there is nobody's.
 * @param end `anybody`: what it leads to in the end may belong to whom it likes.
 * @throws LxcvError `unsafe-owner`.
 */
export function checkPathOwned(files: FilesRead, path: string, end: 'root' | 'anybody' = 'root'): void {
  const left = path.split('/').filter((name) => name !== '');
  let place = '/';
  let links = 0;
  checkOnTheWay(files, place);
  while (left.length > 0) {
    const next = join(place, left.shift() as string);
    const stat = files.stat(next);
    if (stat === undefined) return;
    if (stat.type !== 'symlink') {
      place = next;
      if (left.length > 0) checkOnTheWay(files, place);
      else if (end === 'root') checkOwned(files, place, stat);
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) return;
    if (stat.uid !== OWNER) throw notOwned(next, stat);
    const target = files.readLink(next).toString('utf8');
    left.unshift(...target.split('/').filter((name) => name !== '' && name !== '.'));
    place = isAbsolute(target) ? '/' : dirname(next);
  }
}

/** The same of what was looked at already, without the way to it. @throws LxcvError `unsafe-owner`. */
export function checkOwned(files: FilesRead, path: string, stat: OpenStat): void {
  if (stat.uid !== OWNER) throw notOwned(path, stat);
  if (stat.type !== 'symlink' && isOpen(files, path, stat)) throw writable(path);
}

/** In a sticky directory nobody can replace what is somebody else's. */
function checkOnTheWay(files: FilesRead, path: string): void {
  const stat = files.stat(path);
  if (stat === undefined) return;
  if (stat.uid !== OWNER) throw notOwned(path, stat);
  if ((stat.mode & STICKY) === 0 && isOpen(files, path, stat)) throw writable(path);
}

/** Root's group is root's own; but where there is an ACL the bits of the group are those of everybody that it names. */
function isOpen(files: FilesRead, path: string, { mode, gid }: OpenStat): boolean {
  if ((mode & OTHERS_WRITE) !== 0) return true;
  if ((mode & GROUP_WRITES) === 0) return false;
  // A container may be destroyed meanwhile.
  return gid !== OWNER || unlessGone(undefined, () => files.xattr(path, 'system.posix_acl_access')) !== undefined;
}

function notOwned(path: string, { uid }: OpenStat): LxcvError {
  return new LxcvError(
    'unsafe-owner',
    `${path} belongs to the user ${uid}, who could have root do anything by what is in it`,
    `If it is to be root's, and you know what is in it: chown -h root: ${path}`,
  );
}

function writable(path: string): LxcvError {
  return new LxcvError(
    'unsafe-owner',
    `${path} can be written to by others than root, who could have root do anything by that`,
    `If you know what is in it: chmod go-w ${path}`,
  );
}
