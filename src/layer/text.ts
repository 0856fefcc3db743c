/** Files of a tree as git takes them: to be compared line by line. */

import type { FilesRead } from '../host/files.js';
import type { GitFile } from '../host/git.js';
import type { BytePath } from '../model/byte-path.js';
import type { TreeEntry } from './tree.js';

/** What is larger is no text that anybody reads. */
const TEXT_MAX_BYTES = 1 << 20;

const ANY_EXECUTE = 0o111;

/** A regular file or a symbolic link for git; undefined for all else. A file that is too large has a stub for its content. */
export function toGitFile(files: FilesRead, path: BytePath, entry: TreeEntry): GitFile | undefined {
  const { type, mode } = entry.stat;
  if (type === 'symlink') return { path, mode: 'symlink', content: files.readLink(entry.location) };
  if (type !== 'file') return undefined;
  const content = readText(files, entry) ?? stub(entry);
  return { path, mode: gitMode(mode), content };
}

/** All that git knows of the permission bits of a regular file. */
export function gitMode(mode: number): 'file' | 'executable' {
  return (mode & ANY_EXECUTE) === 0 ? 'file' : 'executable';
}

/** All that is in a regular file; undefined for one that is too large. */
export function readText(files: FilesRead, { location }: TreeEntry, most = TEXT_MAX_BYTES): Buffer | undefined {
  using file = files.openFile(location);
  if (file.size > most) return undefined;
  const content = Buffer.alloc(file.size);
  return content.subarray(0, file.read(content, 0));
}

/** By the NUL byte git takes it for no text, and by the rest no two files for the same. */
function stub({ stat: { size, inode, ctimeNs } }: TreeEntry): Buffer {
  return Buffer.from(`\0${size} bytes, ${inode} ${ctimeNs}`);
}
