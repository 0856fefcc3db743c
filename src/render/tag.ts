/** The tags of a repository. */

import type { NamedTag } from '../model/results.js';
import { escapeText, firstLine } from './escape.js';
import { paint, type Style } from './style.js';
import { type Column, renderTable } from './table.js';
import { formatTime } from './time.js';

/** A line each: what an annotated tag says of itself or, of another, what its version says. */
export function renderTags(tags: readonly NamedTag[], style: Style): string {
  return renderTable(
    COLUMNS,
    tags.map((tag) => cellsOf(tag, style)),
    style,
  );
}

const COLUMNS: readonly Column[] = [
  { heading: '' },
  { heading: '', align: 'right' },
  { heading: '' },
  { heading: '' },
  { heading: '', from: 100 },
  { heading: '', flexible: true },
];

function cellsOf({ name, version, annotation }: NamedTag, style: Style): string[] {
  return [
    paint(style, 'tag', name),
    paint(style, 'number', `@${version.number}`),
    paint(style, 'id', version.id.slice(0, 7)),
    formatTime((annotation ?? version).time, style),
    annotation === undefined ? '' : escapeText(annotation.author.name),
    firstLine((annotation ?? version).message),
  ];
}
