/** From a revision that a user types to the version that it names: NAME@REV, with its steps back. */

import { LxcvError } from '../model/errors.js';
import { ancestors } from '../model/graph.js';
import { isRepositoryName, isVersionId } from '../model/names.js';
import { parseRevision, type Revision, rangeHint } from '../model/revision.js';
import type { BranchName, RefName, TagName, Version, VersionId } from '../model/version.js';
import type { History } from '../store/history.js';
import type { Context } from './context.js';
import { findDescribed, SHORT_ID } from './describe.js';
import { checkReadable, type Found, findByName } from './lookup.js';
import { suggest } from './suggestion.js';

export interface FoundRevision extends Found {
  readonly revision: Revision;
  readonly version: Version;
}

/** Resolves `NAME[@REV]`. @throws LxcvError `bad-revision`, `revision-not-found` and those of `findByName`. */
export function findRevision(
  context: Context,
  text: string,
): Found & { readonly version: Version; readonly revision: Revision } {
  const revision = parseRevision(text);
  const found = findByName(context, revision.name);
  return { ...found, revision, version: resolveRevision(found, revision) };
}

/** HEAD: of a container, the parent of its working delta; of a repository, the branch of its name, or its newest version. */
function headOf({ repository, container, head }: Found): Version | undefined {
  if (container !== undefined) return head === undefined ? undefined : repository.history.get(head);
  checkReadable(repository, repository.name as string as BranchName);
  const own = repository.branches.get(repository.name as string as BranchName);
  return own === undefined ? newest(repository.history) : repository.history.get(own);
}

/** @throws LxcvError `revision-not-found`, `bad-revision` for `WORK` and `BASE`, which are no versions. */
export function resolveRevision(found: Found, revision: Revision): Version {
  const { point, text } = revision;
  let version = resolveStart(found, revision);
  for (const step of point.steps) {
    const next =
      step.kind === 'ancestor' ? stepBack(found, version, step.count) : nthParent(found, version, step.index);
    if (next === undefined) throw notFound(found, text, `version @${version.number} has no such ancestor`);
    version = next;
  }
  return version;
}

/**
 * In this order: HEAD, a number, a whole id, a branch, a tag, a prefix that only one id has, a name that `describe` gives. No branch
 * and no tag hides an id.
 */
function resolveStart(found: Found, { point: { start }, text, name: called }: Revision): Version {
  const { history, name } = found.repository;
  switch (start.kind) {
    case 'HEAD': {
      const head = headOf(found);
      if (head === undefined) throw notFound(found, text, 'nothing was committed on it yet');
      return head;
    }
    case 'WORK':
      throw new LxcvError(
        'bad-revision',
        `${text} is no version: it is what the container holds now`,
        `What of that is not committed: lxcv status ${called}, lxcv diff ${called}; to make a version of it: lxcv commit ${called}`,
      );
    case 'BASE':
      throw new LxcvError(
        'bad-revision',
        `${text} is no version: it is what lies under all versions of ${called}`,
        `The first version: lxcv show ${called}@0; what lies under it: lxcv show ${called}@BASE:/`,
      );
    case 'number': {
      const version = history.findNumber(start.number);
      if (version === undefined) throw notFound(found, text, `${name} has the versions 0 to ${history.nextNumber - 1}`);
      return version;
    }
    case 'name':
      return resolveName(found, start.text, text);
  }
}

/** @param text the whole revision. */
function resolveName(found: Found, named: string, text: string): Version {
  const { history, branches, tags, name } = found.repository;
  if (isVersionId(named) && history.has(named)) return history.get(named);
  checkReadable(found.repository, named as RefName);
  const branch = isRepositoryName(named) ? branches.get(named as string as BranchName) : undefined;
  if (branch !== undefined) return history.get(branch);
  const tag = isRepositoryName(named) ? tags.get(named as string as TagName) : undefined;
  if (tag !== undefined) return history.get(tag.version);
  const [id, other] = history.findPrefix(named);
  if (other !== undefined) throw notFound(found, text, `more than one version's id begins with ${named}`);
  if (id !== undefined) return history.get(id);
  const described = findDescribed(found.repository, named);
  if (described.length > 0) return history.get(chooseDescribed(found, described, text));
  throw notFound(found, text, `${name} has no branch, tag or version ${named}`, named);
}

/**
 * A name that is as good as an id would hide the version that `log` shows so.
 * @throws LxcvError `bad-name` for the beginning of an id of the repository, as long as those that are shown.
 */
export function refuseIdPrefix(history: History, what: 'branch' | 'tag', name: string): void {
  if (!isIdPrefix(history, name)) return;
  const [id] = history.findPrefix(name) as [VersionId];
  throw new LxcvError(
    'bad-name',
    `${name} cannot name a ${what}: the id of version @${history.numberOf(id)} begins so`,
    'Choose another name, or one with "-".',
  );
}

export function isIdPrefix(history: History, name: string): boolean {
  return name.length >= SHORT_ID && history.findPrefix(name).length > 0;
}

/** Of several versions of one name the one that led to HEAD: so `list` and `status` of a container call it. */
function chooseDescribed(found: Found, ids: readonly VersionId[], text: string): VersionId {
  const { history } = found.repository;
  const head = headOf(found);
  const own =
    ids.length === 1 || head === undefined ? ids : ids.filter(isAmong(ancestors([head.id], history.parentsOf)));
  const [id] = own;
  if (id !== undefined && own.length === 1) return id;
  const numbers = ids.map((each) => `@${history.numberOf(each)}`).join(', ');
  throw notFound(found, text, `more than one version is called so: ${numbers}`);
}

function isAmong(ids: ReadonlySet<VersionId>): (id: VersionId) => boolean {
  return (id) => ids.has(id);
}

function stepBack(found: Found, version: Version, count: number): Version | undefined {
  const { history } = found.repository;
  let id: VersionId | undefined = version.id;
  for (let step = 0; step < count && id !== undefined; step += 1) [id] = history.parentsOf(id);
  return id === undefined ? undefined : history.get(id);
}

function nthParent({ repository }: Found, version: Version, index: number): Version | undefined {
  if (index === 0) return version;
  const parent = version.parents[index - 1];
  return parent === undefined ? undefined : repository.history.get(parent.id);
}

function newest(history: History): Version | undefined {
  return history.findNumber(history.nextNumber - 1);
}

/** @param start where the revision begins, where it was that which is not there. */
function notFound(found: Found, text: string, why: string, start?: string): LxcvError {
  const { name, branches, tags } = found.repository;
  const data = { revision: text };
  const shows = rangeHint(text) ?? `lxcv log --all ${found.container?.name ?? name} shows the versions.`;
  const suggested =
    start === undefined ? { hint: shows, data } : suggest(start, [...branches.keys(), ...tags.keys()], shows, data);
  return new LxcvError('revision-not-found', `${text} names no version: ${why}`, suggested.hint, {
    data: suggested.data,
  });
}
