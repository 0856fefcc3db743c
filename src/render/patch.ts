/** A patch for a terminal: as git prints it, in colour, and with nothing in it that obeys. */

import { escapeText, showOddBytes } from './escape.js';
import { paint, type Role, type Style } from './style.js';

/** What a line begins with, and how it is painted; the first that fits counts. */
const LOOKS: readonly (readonly [RegExp, Role])[] = [
  [/^(diff --git|index|new file|deleted file|old mode|new mode|similarity|rename|---|\+\+\+|Binary) ?/, 'heading'],
  [/^@@ /, 'metadata'],
  [/^\+/, 'added'],
  [/^-/, 'removed'],
];

export function renderPatch(patch: Buffer, style: Style): string {
  const lines = showOddBytes(patch).split('\n');
  return lines.map((line) => renderLine(line, style)).join('\n');
}

function renderLine(line: string, style: Style): string {
  const shown = line
    .split('\t')
    .map((part) => escapeText(part))
    .join('\t');
  const look = LOOKS.find(([start]) => start.test(line));
  return look === undefined ? shown : paint(style, look[1], shown);
}
