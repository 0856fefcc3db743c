/** What differs between two trees. Layers that both share are not read, so the cost is that of the difference. */

import { type FilesRead, unlessGone } from '../host/files.js';
import { type BytePath, joinPath, ROOT } from '../model/byte-path.js';
import type { Change, ChangeKind } from '../model/changes.js';
import { type Descent, descend } from '../model/job.js';
import { isBookkeeping } from './overlayfs.js';
import { TreeDirectory, type TreeEntry } from './tree.js';

/**
 * The changes that make the tree of the layers `before` into that of `after`, both top first; no layers are an empty tree.
 * Parents come before what they hold, names in byte order. Every path below a directory that came or went is told as well.
 * The times of directories do not count: they follow from what happens inside. For each entry looked at, undefined is told.
 */
export function diffTrees(
  files: FilesRead,
  before: readonly string[],
  after: readonly string[],
): Generator<Change | undefined, void> {
  return descend(diffRoots(files, before, after));
}

type Differences = Descent<Change | undefined>;

function* diffRoots(files: FilesRead, before: readonly string[], after: readonly string[]): Differences {
  using a = before.length === 0 ? undefined : TreeDirectory.openRoot(files, before);
  using b = TreeDirectory.openRoot(files, after);
  if (a !== undefined) {
    const kind = compareEntries(files, a.self(), b.self());
    if (kind !== undefined) yield { path: ROOT, kind, type: 'directory', bytes: 0 };
  }
  yield diffDirectories(files, ROOT, a, b);
}

function* diffDirectories(
  files: FilesRead,
  parent: BytePath,
  a: TreeDirectory | undefined,
  b: TreeDirectory | undefined,
): Differences {
  const shared = countShared(a?.layers ?? [], b?.layers ?? []);
  const names = new Set([...ownNames(a, shared), ...ownNames(b, shared)]);
  for (const name of [...names].sort()) {
    yield* diffNames(files, parent, name, a, b);
    yield;
  }
}

function* diffNames(
  files: FilesRead,
  parent: BytePath,
  name: BytePath,
  a: TreeDirectory | undefined,
  b: TreeDirectory | undefined,
): Differences {
  const path = joinPath(parent, name);
  const was = a?.lookup(name);
  const is = b?.lookup(name);
  const before = was?.kind === 'entry' ? was.entry : undefined;
  const after = is?.kind === 'entry' ? is.entry : undefined;
  const kind = kindOf(files, before, after);
  const told = after ?? before;
  if (told === undefined) return;
  if (kind !== undefined) {
    const bytes = (kind === 'added' || kind === 'modified') && told.stat.type === 'file' ? told.stat.size : 0;
    yield { path, kind, type: told.stat.type, bytes };
  }
  using below = was?.kind === 'entry' && was.layers.length > 0 ? a?.openChild(name, was.layers) : undefined;
  using above = is?.kind === 'entry' && is.layers.length > 0 ? b?.openChild(name, is.layers) : undefined;
  if (below !== undefined || above !== undefined) yield diffDirectories(files, path, below, above);
}

function kindOf(files: FilesRead, before: TreeEntry | undefined, after: TreeEntry | undefined): ChangeKind | undefined {
  if (after === undefined) return before === undefined ? undefined : 'removed';
  return before === undefined ? 'added' : unlessGone('modified', () => compareEntries(files, before, after));
}

function compareEntries(files: FilesRead, a: TreeEntry, b: TreeEntry): 'modified' | 'metadata' | undefined {
  if (a.stat.inode === b.stat.inode && a.stat.device === b.stat.device) return undefined;
  if (!hasSameContent(files, a, b)) return 'modified';
  return hasSameMetadata(files, a, b) ? undefined : 'metadata';
}

function hasSameContent(files: FilesRead, a: TreeEntry, b: TreeEntry): boolean {
  if (a.stat.type !== b.stat.type) return false;
  switch (a.stat.type) {
    case 'file':
      return a.stat.size === b.stat.size && files.sameContent(a.location, b.location);
    case 'symlink':
      return files.readLink(a.location).equals(files.readLink(b.location));
    case 'char':
    case 'block':
      return a.stat.rawDevice === b.stat.rawDevice;
    case 'directory':
    case 'fifo':
    case 'socket':
      return true;
  }
}

function hasSameMetadata(files: FilesRead, a: TreeEntry, b: TreeEntry): boolean {
  return (
    a.stat.mode === b.stat.mode &&
    a.stat.uid === b.stat.uid &&
    a.stat.gid === b.stat.gid &&
    (a.stat.type === 'directory' || a.stat.mtimeNs === b.stat.mtimeNs) &&
    hasSameXattrs(files, a.location, b.location)
  );
}

function hasSameXattrs(files: FilesRead, a: Buffer, b: Buffer): boolean {
  const names = files.xattrNames(a).filter((name) => !isBookkeeping(name));
  const others = files.xattrNames(b).filter((name) => !isBookkeeping(name));
  if (names.length !== others.length) return false;
  return names.every((name) => {
    const value = files.xattr(a, name);
    const other = files.xattr(b, name);
    return value !== undefined && other !== undefined && value.equals(other);
  });
}

/** How many layers the two lists have in common at their ends. */
function countShared(a: readonly string[], b: readonly string[]): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a.at(-1 - shared) === b.at(-1 - shared)) shared += 1;
  return shared;
}

function ownNames(directory: TreeDirectory | undefined, shared: number): Set<BytePath> {
  return directory === undefined ? new Set() : directory.names(directory.layers.length - shared);
}
