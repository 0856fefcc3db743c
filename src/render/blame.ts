/** The lines of a text, each with the version that brought it, as `git blame` shows them. */

import type { BlamedLine } from '../model/results.js';
import type { Version } from '../model/version.js';
import { escapeText, showOddBytes } from './escape.js';
import { paint, type Style } from './style.js';
import { formatTime } from './time.js';
import { displayWidth, truncate } from './width.js';

/** A pipe gets the text's own bytes; a terminal sees every character that it would obey. */
export function renderBlame(lines: readonly BlamedLine[], style: Style): Buffer {
  const heads = lines.map(({ version }) => headOf(version, style));
  const width = Math.max(0, ...heads.map(displayWidth));
  const digits = `${lines.length}`.length;
  return Buffer.concat(
    lines.flatMap(({ number, text }, index) => {
      const head = heads[index] as string;
      const place = `${head}${' '.repeat(width - displayWidth(head))} ${`${number}`.padStart(digits)}) `;
      if (!style.human) return [Buffer.from(place), text, Buffer.from('\n')];
      const shown = escapeText(showOddBytes(text).replaceAll('\t', '    '));
      return [Buffer.from(`${truncate(`${place}${shown}`, style.width)}\n`)];
    }),
  );
}

function headOf(version: Version | undefined, style: Style): string {
  if (version === undefined) return paint(style, 'faint', 'not committed yet');
  const { number, id, author, time } = version;
  const words = [paint(style, 'number', `@${number}`), paint(style, 'id', id.slice(0, 7)), escapeText(author.name)];
  return `${words.join(' ')} ${formatTime(time, style)}`;
}
