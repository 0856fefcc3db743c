/**
 * File systems behind a server, on the network or a program of this machine, which may never answer: whoever looks at anything on one then
 * waits for ever. Which paths lead there the mount table and the symbolic links before them tell.
 */

import { dirname, isAbsolute } from 'node:path';
import type { FilesRead } from './files.js';
import type { MountEntry } from './mount-table.js';

/** Source: `fstype_is_network` of systemd, and all of FUSE; autofs asks a program too. */
const REMOTE =
  /^(?:fuse(?:blk|\..*)?|virtiofs|nfs4?|cifs|smb3|smbfs|ncpfs?|9p|afs|ceph|coda|lustre|glusterfs|gfs2?|ocfs2|orangefs|pvfs2|davfs|autofs)$/;
/** As many as the kernel follows. */
const LINKS_MAX = 40;

/**
 * Reads on which a path that leads to such a file system is an error, EREMOTE, of `statTarget` and `realPath`, with no look at what is there.
 * @param mounts this process's.
 * @param answering absolute paths that were looked at already: the file systems on the way to them answer.
 */
export function withoutRemote(
  files: FilesRead,
  mounts: readonly MountEntry[],
  answering: readonly string[],
): FilesRead {
  if (!mounts.some(({ type }) => REMOTE.test(type))) return files;
  const table = tableOf(mounts);
  const known = new Set(answering.flatMap((path) => [...mountsOnWay(files, table, path)].map(({ device }) => device)));
  const checked = <Path extends Parameters<FilesRead['statTarget']>[0]>(path: Path) => {
    for (const { type, device } of mountsOnWay(files, table, path.toString())) {
      if (!REMOTE.test(type) || known.has(device)) continue;
      throw Object.assign(new Error(`EREMOTE: ${type} is on the way to ${path}`), { code: 'EREMOTE' });
    }
    return path;
  };
  return {
    ...files,
    statTarget: (path) => files.statTarget(checked(path)),
    realPath: (path) => files.realPath(checked(path)),
  };
}

/** The mount that each part of an absolute path leads to, links followed; who asks for the next one has the last one looked at. */
function* mountsOnWay(files: FilesRead, table: MountTable, path: string): Generator<MountEntry> {
  const left = path.split('/');
  let place = '/';
  for (let links = 0; left.length > 0 && links <= LINKS_MAX; ) {
    const part = left.shift() as string;
    if (part === '..') place = dirname(place);
    if (['', '.', '..'].includes(part)) continue;
    const next = place === '/' ? `/${part}` : `${place}/${part}`;
    const mount = mountAt(table, next);
    if (mount !== undefined) yield mount;
    const stat = files.stat(next);
    if (stat === undefined) return;
    if (stat.type !== 'symlink') {
      place = next;
      continue;
    }
    links += 1;
    const target = files.readLink(next).toString('utf8');
    if (isAbsolute(target)) place = '/';
    left.unshift(...target.split('/'));
  }
}

/** What is mounted on what: a mount that another one has hidden is on nobody's way. */
interface MountTable {
  readonly root: MountEntry | undefined;
  /** By the id of the mount that it is on, and the place. */
  readonly on: ReadonlyMap<string, MountEntry>;
}

function tableOf(mounts: readonly MountEntry[]): MountTable {
  const ids = new Set(mounts.map(({ id }) => id));
  const isRoot = ({ id, parent }: MountEntry) => parent === id || !ids.has(parent);
  const on = mounts
    .filter((mount) => !isRoot(mount))
    .map((mount) => [`${mount.parent} ${mount.place}`, mount] as const);
  return { root: mounts.find(isRoot), on: new Map(on) };
}

/** @param path absolute, without links. */
function mountAt({ root, on }: MountTable, path: string): MountEntry | undefined {
  let mount = root;
  let place = '';
  for (const part of ['/', ...path.split('/').slice(1)]) {
    place = place === '' || place === '/' ? `${place}${part}` : `${place}/${part}`;
    for (let above = mount; above !== undefined; above = on.get(`${above.id} ${place}`)) mount = above;
  }
  return mount;
}
