/** diff --patch: what differs in texts, line by line, as git shows it. */

import type { OpenFile } from '../host/content.js';
import { unlessGone } from '../host/files.js';
import type { GitFile, ModeChange } from '../host/git.js';
import { type Difference, diffTrees } from '../layer/diff.js';
import { gitMode, toGitFile } from '../layer/text.js';
import { parseRevision } from '../model/revision.js';
import type { Context } from '../plumbing/context.js';
import { findTreeishes, reportMissing, type Treeish } from '../plumbing/tree-ish.js';
import type { DiffRequest } from './diff.js';

export interface PatchRequest extends Pick<DiffRequest, 'from' | 'to' | 'paths'> {
  /** Lines of context; git's three where it is left out. */
  readonly context?: number | undefined;
}

/** git's own words, byte for byte, and behind them the modes of regular files, of which git shows little; to be closed by whoever asked. @throws LxcvError those of `findTreeish`; `failed` where git is not there. */
export async function patch(context: Context, request: PatchRequest): Promise<OpenFile> {
  const { from, to = `${parseRevision(from).name}@WORK`, context: contextLines = 3 } = request;
  const [before, after] = await findTreeishes(context, from, to);
  reportMissing(context, request.paths ?? [], [before, after]);
  using git = await context.host.openGit();
  const modes: ModeChange[] = [];
  const [old, now] = await git.import([
    { parents: [], files: filesOf(context, before, after, 'before', request) },
    { parents: [], files: filesOf(context, before, after, 'after', request, modes) },
  ]);
  const options = ['--no-color', '--no-ext-diff', '--no-textconv', '--find-renames', `--unified=${contextLines}`];
  return await git.diff([...options, old as string, now as string], modes);
}

/**
 * What one side holds of all that differs in content. The trees are walked once a side, so that no content is kept.
 * @param modes gets the changes of modes that git does not show.
 */
function* filesOf(
  { host: { files } }: Context,
  before: Treeish,
  after: Treeish,
  side: 'before' | 'after',
  { paths = [] }: PatchRequest,
  modes?: ModeChange[],
): Generator<GitFile> {
  const options = paths.length === 0 ? {} : { paths };
  for (const difference of diffTrees(files, before.layers, after.layers, options)) {
    const entry = difference?.[side];
    if (difference !== undefined) modes?.push(...modeChange(difference));
    if (difference === undefined || entry === undefined || difference.kind === 'metadata') continue;
    const file = unlessGone(undefined, () => toGitFile(files, difference.path, entry));
    if (file !== undefined) yield file;
  }
}

function modeChange({ path, kind, before, after }: Difference): ModeChange[] {
  return unlessGone([], () => {
    if (before?.type !== 'file' || after?.type !== 'file') return [];
    const old = before.stat.mode;
    const now = after.stat.mode;
    const isToldByGit = kind === 'modified' && gitMode(old) !== gitMode(now);
    return old === now || isToldByGit ? [] : [{ path, before: old, after: now }];
  });
}
