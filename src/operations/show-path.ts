/** show REV:PATH: what a path of a tree is and, of a regular file, its bytes; read from the layers, without a mount. */

import { unlessGone } from '../host/files.js';
import { digestIfPresent } from '../layer/digest.js';
import { type Found, findPath } from '../layer/find-path.js';
import type { TreeDirectory, TreeEntry } from '../layer/tree.js';
import { type BytePath, tellPath } from '../model/byte-path.js';
import { portionsOf } from '../model/bytes.js';
import type { NamedPath, PathInfo } from '../model/entry.js';
import type { Job } from '../model/job.js';
import type { FileRevision } from '../model/revision.js';
import type { Context } from '../plumbing/context.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';
import { runJob } from '../plumbing/run-job.js';
import { findTreeish } from '../plumbing/tree-ish.js';
import { pathNotFound } from './path-not-found.js';

export interface ShowPathRequest extends FileRevision {
  /** `digest`: of a regular file, its SHA-256 in place of its bytes. */
  readonly content: 'bytes' | 'digest';
}

/** A path, and what `content` asked for. Holds a regular file open until it is disposed of. */
export interface ShownPath extends Disposable {
  readonly path: BytePath;
  readonly info: PathInfo;
  /** Of a directory, in byte order. */
  readonly entries?: readonly NamedPath[];
  /** Of a regular file: its bytes, in pieces; a piece is good until the next is asked for. */
  readonly bytes?: () => Generator<Buffer>;
  /** Of a regular file, in 64 hex digits. */
  readonly digest?: string;
}

/** @throws LxcvError `path-not-found`, and those of `findTreeish`. */
export async function showPath(context: Context, { revision, path, content }: ShowPathRequest): Promise<ShownPath> {
  const { files } = context.host;
  const treeish = await retryUntilStable(context, (reading) => findTreeish(reading, revision));
  using found = findPath(files, treeish.layers, path);
  const info = found && infoOf(context, found.entry);
  if (info === undefined) throw pathNotFound(context, treeish, path);
  const shown = { path, info, [Symbol.dispose]() {} };
  if (info.type === 'directory') return { ...shown, entries: await listDirectory(context, found as Found, path) };
  if (info.type !== 'file') return shown;
  const { location } = (found as Found).entry;
  // What a running container holds may be gone, or something else, by now.
  if (content === 'bytes') {
    const file = unlessGone(undefined, () => files.openFile(location));
    if (file === undefined) throw pathNotFound(context, treeish, path);
    return {
      ...shown,
      bytes: () => portionsOf(file, Number.POSITIVE_INFINITY),
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  }
  const digest = await runJob(context, `reading ${tellPath(path)}`, digestIfPresent(files, location));
  if (digest === undefined) throw pathNotFound(context, treeish, path);
  return { ...shown, digest };
}

/** undefined where it is gone by now. */
function infoOf({ host: { files } }: Context, { stat, location }: TreeEntry): PathInfo | undefined {
  const { type, mode, uid, gid, mtimeNs, size, rawDevice } = stat;
  const info = { type, mode, uid, gid, mtimeNs, size };
  if (type === 'char' || type === 'block') return { ...info, device: splitDevice(rawDevice) };
  if (type !== 'symlink') return info;
  const target = unlessGone(undefined, () => files.readLink(location).toString('latin1'));
  return target === undefined ? undefined : { ...info, target };
}

function listDirectory(context: Context, found: Found, path: BytePath): Promise<NamedPath[]> {
  return runJob(context, `reading ${tellPath(path)}`, readEntries(context, found.openDirectory()));
}

function* readEntries(context: Context, opened: TreeDirectory | undefined): Job<NamedPath[]> {
  using directory = opened;
  const entries: NamedPath[] = [];
  for (const name of [...(directory?.names() ?? [])].sort()) {
    const entry = directory?.entry(name);
    const info = entry && unlessGone(undefined, () => infoOf(context, entry));
    if (info !== undefined) entries.push({ name, ...info });
    yield;
  }
  return entries;
}

/** As gnu_dev_major(3) and gnu_dev_minor(3) do. */
function splitDevice(raw: bigint): { major: number; minor: number } {
  const major = ((raw >> 8n) & 0xfffn) | ((raw >> 32n) & ~0xfffn);
  const minor = (raw & 0xffn) | ((raw >> 12n) & ~0xffn & 0xffffffffn);
  return { major: Number(major), minor: Number(minor) };
}
