/** Branches: files under `refs/heads`, each with the id of the branch's newest version. Tags: files under `refs/tags`. */

import type { FilesRead } from '../host/files.js';
import { damaged } from '../model/manifest.js';
import { isRepositoryName, isVersionId } from '../model/names.js';
import { decodeTag, type Tag } from '../model/tag.js';
import type { BranchName, TagName, VersionId } from '../model/version.js';
import type { RepositoryLayout } from './layout.js';

/** The branches by name, in the order of their names. @throws LxcvError `store-damaged`. */
export function readBranches(files: FilesRead, layout: RepositoryLayout): Map<BranchName, VersionId> {
  if (files.stat(layout.branches) === undefined) return new Map();
  const names = files.list(layout.branches).filter(isRepositoryName).sort() as string[] as BranchName[];
  return new Map(names.map((name) => [name, readBranch(files, layout, name)]));
}

/** The tags by name, in the order of their names. @throws LxcvError `store-damaged`, `store-newer`. */
export function readTags(files: FilesRead, layout: RepositoryLayout): Map<TagName, Tag> {
  if (files.stat(layout.tags) === undefined) return new Map();
  const names = files.list(layout.tags).filter(isRepositoryName).sort() as string[] as TagName[];
  return new Map(names.map((name) => [name, decodeTag(files.read(layout.tag(name)), layout.tag(name))]));
}

function readBranch(files: FilesRead, layout: RepositoryLayout, name: BranchName): VersionId {
  const id = files.read(layout.branch(name)).toString('utf8').trimEnd();
  if (!isVersionId(id)) throw damaged(layout.branch(name), 'the id');
  return id;
}
