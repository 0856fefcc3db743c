/** Makes copies of directory entries what the originals are besides their content. */

import type { Directory, Files, Stat } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { pathToText } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { type Place, pathOf } from '../model/place.js';
import { isBookkeeping } from './overlayfs.js';

/**
 * @param lost the letters of the flags of chattr(1) that a copy cannot have.
 * @param onHost its path, where no container need run for the flags to be taken away.
 * @throws LxcvError `delta-not-keepable` where it is any.
 */
export function refuseLost(place: Place, lost: string, onHost?: string): void {
  if (lost === '') return;
  const inContainer = `Take it away in the container: chattr -${lost} /${pathToText(pathOf(place))}. Or stop the container, and commit again: then nothing is copied.`;
  throw new LxcvError(
    'delta-not-keepable',
    `/${pathToText(pathOf(place))} has the attribute ${[...lost].join(' and ')} of chattr, which no copy of it can have`,
    onHost === undefined ? inContainer : `Take it away: chattr -${lost} ${onHost}`,
  );
}

/** The system labels what it makes, and lets nobody take a label away. */
const SECURITY_LABEL = 'security.selinux';

/**
 * Gives the directory `to` the attributes of the directory `from`, and its flags of chattr(1).
 * @returns the letters of the flags that it cannot have.
 */
export function copyDirectoryAttributes(
  files: Files,
  from: HostPath,
  stat: Stat,
  to: HostPath,
  keep?: (xattr: string) => boolean,
): string {
  const lost = files.copyFlags(from, to);
  copyAttributes(files, from, stat, to, keep);
  return lost;
}

/**
 * Gives `to` the owner, mode, extended attributes, ACLs and modification time of `from`, whose lstat is `stat`. Overlayfs's
 * own attributes stay behind but for those that `keep` accepts; what `to` has besides goes. Of a directory: call it when its entries are in place.
 */
export function copyAttributes(
  files: Files,
  from: HostPath,
  stat: Stat,
  to: HostPath,
  keep: (xattr: string) => boolean = () => false,
): void {
  files.chown(to, stat.uid, stat.gid);
  if (stat.type !== 'symlink') files.chmod(to, stat.mode);
  const names = files.xattrNames(from).filter((name) => !isBookkeeping(name) || keep(name));
  for (const name of files.xattrNames(to)) {
    if (!names.includes(name) && name !== SECURITY_LABEL) files.removeXattr(to, name);
  }
  for (const name of names) {
    const value = files.xattr(from, name);
    if (value !== undefined) files.setXattr(to, name, value);
  }
  files.setMtime(to, stat.mtimeNs);
}

/**
 * Makes a directory and opens it, to be filled and then given its attributes: until then it is nobody else's to enter. It
 * inherits no default ACL, and so hands none on.
 */
export function createDirectory(files: Files, path: HostPath): Directory {
  files.mkdir(path, 0o700);
  const directory = files.openDirectory(path) as Directory;
  const inherited = files.xattrNames(directory.path).filter((name) => name.startsWith('system.posix_acl_'));
  for (const name of inherited) files.removeXattr(directory.path, name);
  return directory;
}
