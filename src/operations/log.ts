/** log: the versions that led to a version, newest first. */

import { diffTrees } from '../layer/diff.js';
import { type BytePath, tellPath } from '../model/byte-path.js';
import { hasChange } from '../model/changes.js';
import { nearestAncestors, newestFirst } from '../model/graph.js';
import type { Job } from '../model/job.js';
import type { Log, LogEntry } from '../model/results.js';
import type { BranchName, Summary, TagName, VersionId } from '../model/version.js';
import { reportChangedBases } from '../plumbing/changed-bases.js';
import type { Context } from '../plumbing/context.js';
import { findRevision } from '../plumbing/find-revision.js';
import { layersOfParent, layersOfVersion } from '../plumbing/layers.js';
import { containersOf, headIdOf, type Repository, reportLeftOut } from '../plumbing/lookup.js';
import { runJob } from '../plumbing/run-job.js';
import { reportMissing } from '../plumbing/tree-ish.js';

export interface LogRequest {
  /** `NAME[@REV]`: where to begin. */
  readonly revision: string;
  /** All versions of the repository, whatever branch they are on. */
  readonly all: boolean;
  readonly limit?: number | undefined;
  /** Only versions that changed one of these, or something below it, in their first parent. */
  readonly paths?: readonly BytePath[];
}

export async function log(context: Context, { revision, all, limit, paths = [] }: LogRequest): Promise<Log> {
  const { repository, version, container } = findRevision(context, revision);
  const { history } = repository;
  if (all) for (const error of history.unreadable.values()) reportLeftOut(context, error);
  const ids = newestFirst(all ? history.ids() : [version.id], history.parentsOf, history.numberOf);
  const what = `looking for ${paths.map(tellPath).join(' ')}`;
  const chosen =
    paths.length === 0
      ? firstOf(ids, limit)
      : (await runJob(context, what, thatChanged(context, repository, ids, paths))).slice(0, limit);
  if (chosen.length === 0) {
    const layers = layersOfVersion(repository.layout, version);
    reportMissing(context, paths, [{ name: `${repository.name}@${version.number}`, layers }]);
  }
  const entries = entriesOf(context, repository, chosen, paths.length > 0);
  return { repository: repository.name, container: container?.name, entries };
}

function firstOf<T>(values: Iterable<T>, limit = Number.POSITIVE_INFINITY): T[] {
  const taken: T[] = [];
  for (const value of values) {
    if (taken.length >= limit) break;
    taken.push(value);
  }
  return taken;
}

/** The versions that changed something at or below the paths in their first parent; a root, in what lies under it. */
function* thatChanged(
  context: Context,
  repository: Repository,
  ids: Iterable<VersionId>,
  paths: readonly BytePath[],
): Job<VersionId[]> {
  const chosen: VersionId[] = [];
  for (const id of ids) {
    const version = repository.history.get(id);
    reportChangedBases(context, version.bases);
    const before = layersOfParent(repository, version);
    const after = layersOfVersion(repository.layout, version);
    const differences = diffTrees(context.host.files, before, after, { paths });
    if (yield* hasChange(differences)) chosen.push(version.id);
  }
  return chosen;
}

/** Of the thousands of versions that a log may have, none is held longer than it takes to show it. */
class LazyEntry implements LogEntry {
  constructor(
    private readonly loadSummary: () => Summary,
    private readonly findParents: () => readonly VersionId[],
    readonly branches: readonly BranchName[],
    readonly tags: readonly TagName[],
    readonly heads: LogEntry['heads'],
  ) {}

  get version(): Summary {
    return this.loadSummary();
  }

  get parents(): readonly VersionId[] {
    return this.findParents();
  }
}

/** @param chosen whether versions were left out between others, and not only the oldest. */
function entriesOf(context: Context, repository: Repository, ids: readonly VersionId[], chosen: boolean): LogEntry[] {
  const { parentsOf } = repository.history;
  const users = containersOf(context, repository.name).flatMap(({ name, versioned }) => {
    const head = headIdOf(context, repository, versioned);
    return head === undefined ? [] : [[{ container: name, branch: versioned.working.branch }, head] as const];
  });
  const headsAt = namesAt(users);
  const branchesAt = namesAt([...repository.branches]);
  const tagsAt = namesAt([...repository.tags].map(([name, tag]) => [name, tag.version]));
  const shown = new Set(ids);
  const isShown = (id: VersionId) => shown.has(id);
  const shownParents = (id: VersionId) => {
    const parents = parentsOf(id);
    if (parents.every(isShown)) return parents;
    return chosen ? nearestAncestors(id, parentsOf, isShown) : parents.filter(isShown);
  };
  return repository.history.summaries(ids).map((loadSummary, index) => {
    const id = ids[index] as VersionId;
    return new LazyEntry(loadSummary, () => shownParents(id), branchesAt(id), tagsAt(id), headsAt(id));
  });
}

/** Looks up names, or what else points at versions, by the version that each is on, in their order. */
function namesAt<Name>(named: readonly (readonly [Name, VersionId])[]): (id: VersionId) => readonly Name[] {
  const found = new Map<VersionId, Name[]>();
  for (const [name, id] of named) found.set(id, [...(found.get(id) ?? []), name]);
  const none: Name[] = [];
  return (id) => found.get(id) ?? none;
}
