/** What differs between two trees, in git's manner: a letter and a path a line, or a summary where that is too long to see. */

import type { BytePath } from '../model/byte-path.js';
import type { ChangeKind, ChangeRecord } from '../model/changes.js';
import type { ConfigChanges } from '../model/lxc-config-diff.js';
import { pathOf } from '../model/place.js';
import { renderSummary } from './diff-summary.js';
import { escapeName, escapeText } from './escape.js';
import { paint, type Role, type Style } from './style.js';

export interface DiffView {
  readonly changes: Iterable<ChangeRecord> & { readonly length: number };
  readonly config: ConfigChanges;
}

/** Each change on its line and, under a heading, what changed in the LXC config; a summary where that is more than `rows` lines. */
export function* diffLines(
  { changes, config }: DiffView,
  style: Style,
  rows = Number.POSITIVE_INFINITY,
): Generator<string> {
  const settings = configLines(config, style);
  // The prompt that comes after it takes a line too.
  const room = rows - 1 - (settings.length === 0 ? 0 : settings.length + 1);
  const isSummed = rows < Number.POSITIVE_INFINITY && isLongerThan(room, nameStatusLines(changes, style));
  yield* behind(isSummed ? renderSummary(changes, style, room) : nameStatusLines(changes, style), settings);
}

/** The lines and, where there are any, others behind them, with a blank line between. */
export function* behind(lines: Iterable<string>, more: readonly string[]): Generator<string> {
  let isFirst = true;
  for (const line of lines) {
    isFirst = false;
    yield line;
  }
  if (!isFirst && more.length > 0) yield '';
  yield* more;
}

/**
 * A line each: a letter, a tab and the path, as `git diff --name-status` has it; of what was moved `R` and both paths.
 * @param before what stands before each path.
 */
export function* nameStatusLines(changes: Iterable<ChangeRecord>, style: Style, before = ''): Generator<string> {
  for (const change of withoutOrigins(changes)) yield renderLine(change, style, before);
}

/** The path of each, and of what was moved the new one: as `git diff --name-only` has it. */
export function* nameLines(changes: Iterable<ChangeRecord>): Generator<string> {
  for (const { path } of withoutOrigins(changes)) yield showPath(path);
}

/** The changes without where moved files came from: those are told with where they went. */
export function* withoutOrigins(changes: Iterable<ChangeRecord>): Generator<ChangeRecord> {
  for (const change of changes) if (change.movedTo === undefined) yield change;
}

/** A path as text, fit for a terminal; the root is `/`. */
function showPath(path: BytePath): string {
  return path === '' ? '/' : escapeName(path);
}

/** The path of a change; of what was moved both. */
export function showPaths({ path, movedFrom }: ChangeRecord): string {
  return movedFrom === undefined ? showPath(path) : `${showPath(pathOf(movedFrom))} => ${showPath(path)}`;
}

/** The letter of a change, painted: `R` of what was moved, `T` of what is of another type now. */
export function renderLetter({ kind, typeBefore, movedFrom }: ChangeRecord, style: Style): string {
  if (typeBefore !== undefined) return paint(style, kind, 'T');
  return movedFrom === undefined ? paint(style, kind, LETTERS[kind]) : paint(style, MOVED, 'R');
}

function isLongerThan(most: number, lines: Iterable<string>): boolean {
  let count = 0;
  for (const _ of lines) {
    count += 1;
    if (count > most) return true;
  }
  return false;
}

const LETTERS: Readonly<Record<ChangeKind, string>> = { added: 'A', modified: 'M', removed: 'D', metadata: 'm' };
const MOVED: Role = 'metadata';

function renderLine(change: ChangeRecord, style: Style, before: string): string {
  const { path, movedFrom } = change;
  const paths = movedFrom === undefined ? [path] : [pathOf(movedFrom), path];
  return [renderLetter(change, style), ...paths.map((each) => `${before}${showPath(each)}`)].join('\t');
}

/** What changed in the LXC config, under a heading. */
export function configLines({ removed, added }: ConfigChanges, style: Style): string[] {
  if (removed.length + added.length === 0) return [];
  return [
    paint(style, 'heading', 'LXC config:'),
    ...removed.map((line) => paint(style, 'removed', `- ${escapeText(line)}`)),
    ...added.map((line) => paint(style, 'added', `+ ${escapeText(line)}`)),
  ];
}
