/** What differs between two trees, in git's manner: a letter and a path a line, or a summary where that is too long to see. */

import type { BytePath } from '../model/byte-path.js';
import type { Change, ChangeKind } from '../model/changes.js';
import { renderSummary } from './diff-summary.js';
import { escapeName, escapeText } from './escape.js';
import { paint, type Role, type Style } from './style.js';

export interface DiffView {
  readonly changes: readonly ChangeView[];
  readonly config: { readonly removed: readonly string[]; readonly added: readonly string[] };
}

export type ChangeView = Pick<Change, 'path' | 'kind'> & {
  readonly movedFrom?: BytePath;
  readonly movedTo?: BytePath;
};

/** Each change on its line and, under a heading, what changed in the LXC config; a summary where that is more than `rows` lines. */
export function renderDiff({ changes, config }: DiffView, style: Style, rows = Number.POSITIVE_INFINITY): string {
  const settings = renderConfig(config, style);
  // The prompt that comes after it takes a line too.
  const room = rows - 1 - (settings.length === 0 ? 0 : settings.length + 1);
  const all = withoutOrigins(changes);
  const lines =
    all.length <= room ? all.map((change) => renderLine(change, style)) : renderSummary(changes, style, room);
  return [lines, settings]
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n');
}

/** A line each: a letter, a tab and the path, as `git diff --name-status` has it; of what was moved `R` and both paths. */
export function renderNameStatus(changes: readonly ChangeView[], style: Style): string {
  return withoutOrigins(changes)
    .map((change) => renderLine(change, style))
    .join('\n');
}

/** A path as text, fit for a terminal; the root is `/`. */
export function showPath(path: BytePath): string {
  return path === '' ? '/' : escapeName(path);
}

/** The changes without where moved files came from: those are told with where they went. */
export function withoutOrigins<View extends ChangeView>(changes: readonly View[]): View[] {
  return changes.filter(({ movedTo }) => movedTo === undefined);
}

/** The letter of a change, painted: `R` of what was moved. */
export function renderLetter({ kind, movedFrom }: ChangeView, style: Style): string {
  return movedFrom === undefined ? paint(style, kind, LETTERS[kind]) : paint(style, MOVED, 'R');
}

const LETTERS: Readonly<Record<ChangeKind, string>> = { added: 'A', modified: 'M', removed: 'D', metadata: 'm' };
const MOVED: Role = 'metadata';

function renderLine(change: ChangeView, style: Style): string {
  const { path, movedFrom } = change;
  const paths = movedFrom === undefined ? [path] : [movedFrom, path];
  return [renderLetter(change, style), ...paths.map(showPath)].join('\t');
}

function renderConfig({ removed, added }: DiffView['config'], style: Style): string[] {
  if (removed.length + added.length === 0) return [];
  return [
    paint(style, 'heading', 'LXC config:'),
    ...removed.map((line) => paint(style, 'removed', `- ${escapeText(line)}`)),
    ...added.map((line) => paint(style, 'added', `+ ${escapeText(line)}`)),
  ];
}
