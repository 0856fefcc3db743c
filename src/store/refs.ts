/** Branches: files under `refs/heads`, each with the id of the branch's newest version. Tags: files under `refs/tags`. */

import { type FilesRead, isSystemError } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import { damaged } from '../model/manifest.js';
import { isRepositoryName, isVersionId } from '../model/names.js';
import { decodeTag, type Tag } from '../model/tag.js';
import type { BranchName, RefName, TagName, VersionId } from '../model/version.js';
import type { RepositoryLayout } from './layout.js';
import { listStoreDirectory, readStoreFile } from './store-file.js';

/** The branches and tags of a repository, each in the order of their names. */
export interface Refs {
  readonly branches: ReadonlyMap<BranchName, VersionId>;
  readonly tags: ReadonlyMap<TagName, Tag>;
  /** What went wrong with those that cannot be read: only who needs them need mind. */
  readonly unreadable: ReadonlyMap<RefName, Error>;
}

/** @throws LxcvError `store-damaged` where the directories cannot be read. */
export function readRefs(files: FilesRead, layout: RepositoryLayout): Refs {
  const unreadable = new Map<RefName, Error>();
  const branches = readAll<BranchName, VersionId>(files, layout.branches, unreadable, (path, bytes) => {
    const id = bytes.toString('utf8').trimEnd();
    if (!isVersionId(id)) throw damaged(path, 'the id');
    return id;
  });
  const tags = readAll<TagName, Tag>(files, layout.tags, unreadable, (path, bytes) => decodeTag(bytes, path));
  return { branches, tags, unreadable };
}

function readAll<Name extends RefName, Value>(
  files: FilesRead,
  directory: string,
  unreadable: Map<RefName, Error>,
  decode: (path: string, bytes: Buffer) => Value,
): Map<Name, Value> {
  const read = new Map<Name, Value>();
  const names = listStoreDirectory(files, directory).filter(isRepositoryName).sort() as string[] as Name[];
  for (const name of names) {
    const path = `${directory}/${name}`;
    try {
      const bytes = readStoreFile(files, path);
      if (bytes !== undefined) read.set(name, decode(path, bytes));
    } catch (error) {
      if (!(error instanceof LxcvError) && !isSystemError(error)) throw error;
      unreadable.set(name, error as Error);
    }
  }
  return read;
}
