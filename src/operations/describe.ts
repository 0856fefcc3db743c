/** What a version is called after the nearest tag, as `git describe` does. */

import type { VersionId } from '../model/version.js';
import { type Repository, tagsAt } from './lookup.js';

/**
 * `v1.0` for a version with that tag, `v1.0-3` for the third version after it; null where no tag leads there. Of several tags the
 * nearest counts, and of several on one version the first by name.
 */
export function describe(repository: Repository, id: VersionId | undefined): string | null {
  if (id === undefined || repository.tags.size === 0) return null;
  const seen = new Set<VersionId>();
  for (let level = [id], distance = 0; level.length > 0; distance += 1) {
    const [tag] = level.flatMap((each) => tagsAt(repository, each));
    if (tag !== undefined) return distance === 0 ? tag : `${tag}-${distance}`;
    for (const each of level) seen.add(each);
    level = [...new Set(level.flatMap((each) => repository.history.parentsOf(each)))].filter((each) => !seen.has(each));
  }
  return null;
}
