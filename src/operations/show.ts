/** show: one version, what names it, and what it changed. */

import type { ShownVersion } from '../model/results.js';
import type { Version } from '../model/version.js';
import { reportChangedBases } from '../plumbing/changed-bases.js';
import { compareTrees } from '../plumbing/compare-trees.js';
import type { Context } from '../plumbing/context.js';
import { findRevision } from '../plumbing/find-revision.js';
import { layersOfParent, layersOfVersion } from '../plumbing/layers.js';
import { branchesAt, containersOf, headIdOf, type Repository, tagsAt } from '../plumbing/lookup.js';
import { foldPackages } from '../plumbing/packages.js';
import { listingsOf } from '../plumbing/tree-ish.js';

/** @throws LxcvError `bad-revision`, `revision-not-found`, `base-missing`, `store-damaged`. */
export async function showVersion(context: Context, revision: string): Promise<ShownVersion> {
  const { repository, version } = findRevision(context, revision);
  const { history, layout } = repository;
  reportChangedBases(context, version.bases);
  return {
    version,
    parents: version.parents.map(({ id }) => history.get(id)),
    branches: branchesAt(repository, version.id),
    tags: tagsAt(repository, version.id),
    heads: containersOf(context, repository.name)
      .filter(({ versioned }) => headIdOf(context, repository, versioned) === version.id)
      .map(({ name }) => name),
    sealed: context.host.files.stat(layout.version(version.id).entries) !== undefined,
    ...(await changesOf(context, repository, version)),
  };
}

async function changesOf(
  context: Context,
  repository: Repository,
  version: Version,
): Promise<Pick<ShownVersion, 'changes' | 'packages'>> {
  const before = layersOfParent(repository, version);
  const after = layersOfVersion(repository.layout, version);
  const changes = await compareTrees(context, before, after, {
    what: `looking for what @${version.number} changed`,
    listings: listingsOf({ repository, version }),
    detail: 'names',
  });
  const trees = [
    { name: `what lies below @${version.number}`, layers: before },
    { name: `@${version.number}`, layers: after },
  ] as const;
  return { changes, packages: await foldPackages(context, ...trees, changes) };
}
