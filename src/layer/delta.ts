/** Deltas: upper directories, made anew for a container to write to, examined before they are kept, and copied. */

import { childPath, type Directory, type Files, type FilesRead, type Stat } from '../host/files.js';
import { type BytePath, joinPath, ROOT } from '../model/byte-path.js';
import { copyAttributes, createDirectory } from './attributes.js';
import { OPAQUE, WHITEOUT, whyNotKept } from './overlayfs.js';

/** Makes an empty delta whose root, which is the `/` of the container, is that of the directory `model`. */
export function createDelta(files: Files, path: string, model: string): void {
  using delta = createDirectory(files, path);
  copyAttributes(files, model, files.statTarget(model) as Stat, delta.path);
}

/** A path that overlayfs would not keep, and the reason as a predicate: `was renamed ...`. */
export interface Unkept {
  readonly path: BytePath;
  readonly reason: string;
}

/** The first path of an upper directory that would be lost or changed once it is a lower one. */
export function findUnkept(files: FilesRead, delta: string): Unkept | undefined {
  for (const { path, location } of walk(files, delta)) {
    for (const xattr of files.xattrNames(location)) {
      const reason = whyNotKept(xattr);
      if (reason !== undefined) return { path, reason };
    }
  }
  return undefined;
}

/** The first path of a plain root file system that would change its meaning once that is a layer of an overlay. */
export function findMisread(files: FilesRead, rootfs: string): Unkept | undefined {
  for (const { path, location, stat } of walk(files, rootfs)) {
    if (stat.type === 'char' && stat.rawDevice === 0n)
      return { path, reason: 'is a whiteout of an overlay of its own' };
    const mark = files.xattrNames(location).find((name) => name.startsWith('trusted.overlay.'));
    if (mark !== undefined) return { path, reason: `has ${mark}, the mark of an overlay of its own` };
  }
  return undefined;
}

/** Copies a delta to a path that is not there yet: whiteouts, opaque marks, hard links, holes and all. */
export function copyDelta(files: Files, from: string, to: string): void {
  copyDirectory(files, Buffer.from(from), Buffer.from(to), Buffer.from(to), new Map());
}

/** @param firstLinks where the first copy of each inode with several links lies, by a path that stays valid. */
function copyDirectory(files: Files, from: Buffer, to: Buffer, toPath: Buffer, firstLinks: Map<bigint, Buffer>): void {
  using source = openPresent(files, from);
  using target = createDirectory(files, to);
  for (const name of files.list(source.path)) {
    const location = childPath(source.path, name);
    const stat = files.stat(location);
    if (stat === undefined) continue;
    const copy = childPath(target.path, name);
    const copyPath = childPath(toPath, name);
    if (stat.type === 'directory') copyDirectory(files, location, copy, copyPath, firstLinks);
    else copyFile(files, location, stat, copy, copyPath, firstLinks);
  }
  copyAttributes(files, source.path, files.stat(source.path) as Stat, target.path, (xattr) => xattr === OPAQUE);
}

function copyFile(
  files: Files,
  from: Buffer,
  stat: Stat,
  to: Buffer,
  toPath: Buffer,
  firstLinks: Map<bigint, Buffer>,
): void {
  const first = firstLinks.get(stat.inode);
  if (first !== undefined) {
    files.link(first, to);
    return;
  }
  if (stat.type === 'file') files.copyContent(from, to);
  else if (stat.type === 'symlink') files.symlink(files.readLink(from), to);
  else files.makeNode(to, stat);
  copyAttributes(files, from, stat, to, (xattr) => xattr === WHITEOUT);
  if (stat.links > 1) firstLinks.set(stat.inode, toPath);
}

interface Visit {
  readonly path: BytePath;
  /** Reaches the entry until the walk goes on. */
  readonly location: Buffer;
  readonly stat: Stat;
}

/** Every path of one layer as it lies on disk, parents first, no link followed. */
function* walk(files: FilesRead, location: string | Buffer, path: BytePath = ROOT): Generator<Visit> {
  using directory = openPresent(files, location);
  yield { path, location: Buffer.from(directory.path), stat: files.stat(directory.path) as Stat };
  for (const name of files.list(directory.path)) {
    const child = childPath(directory.path, name);
    const stat = files.stat(child);
    if (stat === undefined) continue;
    if (stat.type === 'directory') yield* walk(files, child, joinPath(path, name));
    else yield { path: joinPath(path, name), location: child, stat };
  }
}

function openPresent(files: FilesRead, path: string | Buffer): Directory {
  const directory = files.openDirectory(path);
  if (directory === undefined) throw Object.assign(new Error(`ENOENT: no directory ${path}`), { code: 'ENOENT' });
  return directory;
}
