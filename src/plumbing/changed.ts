/** Whether a container's work changes anything, and how much. A file whose metadata differs counts as modified, and is not read. */

import { diffTrees, listDifferences } from '../layer/diff.js';
import { countChanges, hasChange } from '../model/changes.js';
import { LxcvError } from '../model/errors.js';
import type { ChangeCounts, ContainerName } from '../model/version.js';
import type { Context } from './context.js';
import { runJob } from './run-job.js';

/** A container's work. The layers are absolute paths, top first. */
export interface Work {
  readonly container: ContainerName;
  /** What it is compared with: see `layersBefore`. */
  readonly before: readonly string[];
  /** What the container holds. */
  readonly after: readonly string[];
}

/** Stops at the first change. */
export function isChanged(context: Context, { container, before, after }: Work): Promise<boolean> {
  const differences = listDifferences(context.host.files, before, after, { skipContent: true });
  return runJob(context, `looking for what changed in ${container}`, hasChange(differences));
}

/** @throws LxcvError `nothing-to-commit`, unless that is allowed. */
export async function refuseUnchanged(context: Context, work: Work, allowEmpty: boolean): Promise<void> {
  if (!allowEmpty && !(await isChanged(context, work))) throw nothingToCommit(work.container);
}

/** @throws LxcvError `nothing-to-commit` where it counts no path, unless that is allowed. */
export async function countOrRefuse(context: Context, work: Work, allowEmpty: boolean): Promise<ChangeCounts> {
  const counts = await count(context, work, `counting what changed in ${work.container}`);
  if (!allowEmpty && counts.added + counts.modified + counts.removed === 0) throw nothingToCommit(work.container);
  return counts;
}

/** From so many levels on the counting may run out of open files: each level takes one for each layer. */
const DEEP_LEVELS = 64;

/**
 * Counts a deep delta ahead: a commit of a stopped container counts behind its commit point, where it is too late to refuse.
 * @param levels of the delta, as `checkOverlaySupported` returns them.
 */
export async function checkCountable(context: Context, work: Work, levels: number): Promise<void> {
  if (levels >= DEEP_LEVELS) await count(context, work, `looking how deep ${work.container} goes`);
}

function count(context: Context, { before, after }: Work, what: string): Promise<ChangeCounts> {
  return runJob(context, what, countChanges(diffTrees(context.host.files, before, after, { skipContent: true })));
}

function nothingToCommit(container: ContainerName): LxcvError {
  return new LxcvError(
    'nothing-to-commit',
    `nothing changed in ${container} since its last version`,
    'To make a version all the same: --allow-empty.',
  );
}
