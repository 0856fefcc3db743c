/** How large what differs was and is, a line a path, as `git diff --stat` has it. */

import type { ChangeRecord } from '../model/changes.js';
import type { EntryType } from '../model/entry.js';
import { formatBytes, formatCount } from '../model/units.js';
import { type DiffView, renderLetter, showPaths, withoutOrigins } from './diff.js';
import type { Style } from './style.js';
import { cutStart, displayWidth, truncate } from './width.js';

interface Row {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

const COLUMNS = ['name', 'before', 'after'] as const;
/** Columns that the names keep on the narrowest screen. */
const NAME_MIN = 10;

/** A line a path, one with the sum, and one of the LXC config where that changed. On a terminal long names are cut, at their start as git does. */
export function* statLines({ changes, config }: DiffView, style: Style): Generator<string> {
  yield* pathLines(changes, style);
  const counts = [
    ...(config.removed.length === 0 ? [] : [`${formatCount(config.removed.length, 'line', 'lines')} removed`]),
    ...(config.added.length === 0 ? [] : [`${formatCount(config.added.length, 'line', 'lines')} added`]),
  ];
  if (counts.length > 0) yield ` LXC config: ${counts.join(', ')}`;
}

function* pathLines(changes: Iterable<ChangeRecord>, style: Style): Generator<string> {
  // Each row is made twice, for there may be a million.
  const widest = { name: 0, before: 0, after: 0 };
  const sum = { paths: 0, before: 0, after: 0 };
  for (const change of withoutOrigins(changes)) {
    const row = rowOf(change);
    for (const column of COLUMNS) widest[column] = Math.max(widest[column], displayWidth(row[column]));
    sum.paths += 1;
    if (change.kind === 'metadata' || change.movedFrom !== undefined) continue;
    sum.before += change.sizeBefore;
    sum.after += sizeAfter(change);
  }
  if (sum.paths === 0) return;
  const { before, after } = widest;
  const fixed = ' M  | '.length + before + ' -> '.length + after;
  const room = style.human ? Math.max(style.width - fixed, NAME_MIN) : Number.POSITIVE_INFINITY;
  const width = Math.min(widest.name, room);
  const cut = (line: string) => (style.human ? truncate(line, style.width) : line);
  for (const change of withoutOrigins(changes)) {
    const row = rowOf(change);
    const name = cutStart(row.name, width);
    const padded = `${name}${' '.repeat(width - displayWidth(name))}`;
    const sizes = row.after === '' ? row.before : `${row.before.padStart(before)} -> ${row.after.padStart(after)}`;
    yield cut(` ${renderLetter(change, style)} ${padded} | ${sizes}`);
  }
  const sizes = `${formatBytes(sum.before)} -> ${formatBytes(sum.after)}`;
  yield cut(` ${formatCount(sum.paths, 'path', 'paths')} changed, ${sizes}`);
}

function rowOf(change: ChangeRecord): Row {
  const { movedFrom, type, typeBefore, kind, size, sizeBefore } = change;
  const name = showPaths(change);
  if (kind === 'metadata') return { name, before: 'metadata', after: '' };
  if (movedFrom !== undefined) return { name, before: formatBytes(size), after: '' };
  if (typeBefore !== undefined) return { name, before: sizeOr(typeBefore, sizeBefore), after: sizeOr(type, size) };
  if (type !== 'file') return { name, before: type, after: '' };
  return { name, before: formatBytes(sizeBefore), after: formatBytes(sizeAfter(change)) };
}

/** Only a regular file has a size. */
function sizeOr(type: EntryType, bytes: number): string {
  return type === 'file' ? formatBytes(bytes) : type;
}

function sizeAfter({ kind, type, size }: ChangeRecord): number {
  return kind === 'removed' || type !== 'file' ? 0 : size;
}
