/** What a version is called after the nearest tag, as `git describe` does, and which version is called so. */

import type { Tag } from '../model/tag.js';
import type { BranchName, TagName, VersionId } from '../model/version.js';
import type { History } from '../store/history.js';

/** A repository, as far as names are concerned. */
interface Named {
  readonly history: History;
  readonly branches: ReadonlyMap<BranchName, unknown>;
  readonly tags: ReadonlyMap<TagName, Tag>;
}

/** A tag, and how many versions it is away. */
interface NearestTag {
  readonly tag: TagName;
  readonly distance: number;
}

/** So much of an id is shown. */
export const SHORT_ID = 7;

/**
 * `v1.0` for a version with that tag, `v1.0-3` for the third version after it; null where no tag leads there. Of several tags the
 * nearest counts, and of several on one version the first by name. Where a branch or a tag has that very name, it is
 * `v1.0-3-gk3j9x2a`, as git has it.
 */
export function describe(repository: Named, id: VersionId | undefined): string | null {
  const { history, tags } = repository;
  if (id === undefined || tags.size === 0) return null;
  const tagged = taggedVersions(tags);
  const seen = new Set<VersionId>();
  for (let level = [id], distance = 0; level.length > 0; distance += 1) {
    const [tag] = level.flatMap((each) => tagged.get(each) ?? []);
    if (tag !== undefined) return nameOf(repository, { tag, distance }, id);
    for (const each of level) seen.add(each);
    level = [...new Set(level.flatMap((each) => history.parentsOf(each)))].filter((each) => !seen.has(each));
  }
  return null;
}

/** The versions that `describe` calls so: several where branches part after the tag. */
export function findDescribed(repository: Named, text: string): VersionId[] {
  const { history, tags } = repository;
  const { tag = '', distance, prefix } = DESCRIBED.exec(text)?.groups ?? {};
  if (prefix !== undefined) return history.findPrefix(prefix);
  if (!tags.has(tag as TagName)) return [];
  const tagged = taggedVersions(tags);
  const nearest = new Map<VersionId, NearestTag | undefined>();
  // Parents come before their children.
  for (const id of [...history.ids()].sort((a, b) => history.numberOf(a) - history.numberOf(b))) {
    const own = tagged.get(id);
    const above = history.parentsOf(id).flatMap((parent) => nearest.get(parent) ?? []);
    const [first] = above;
    const near = above.reduce<NearestTag | undefined>(
      (a, b) => (a !== undefined && a.distance <= b.distance ? a : b),
      first,
    );
    nearest.set(id, own === undefined ? near && { ...near, distance: near.distance + 1 } : { tag: own, distance: 0 });
  }
  return [...nearest].flatMap(([id, near]) =>
    near !== undefined && near.tag === tag && near.distance === Number(distance) ? [id] : [],
  );
}

const DESCRIBED = /^(?<tag>.+)-(?<distance>[1-9]\d{0,6})(?:-g(?<prefix>[a-z][a-z0-9]{3,11}))?$/;

function nameOf({ branches, tags }: Named, { tag, distance }: NearestTag, id: VersionId): string {
  if (distance === 0) return tag;
  const name = `${tag}-${distance}`;
  const isTaken = branches.has(name as BranchName) || tags.has(name as TagName);
  return isTaken ? `${name}-g${id.slice(0, SHORT_ID)}` : name;
}

/** Of several tags on one version the first by name. */
function taggedVersions(tags: Named['tags']): Map<VersionId, TagName> {
  const tagged = new Map<VersionId, TagName>();
  for (const [name, { version }] of tags) if (!tagged.has(version)) tagged.set(version, name);
  return tagged;
}
