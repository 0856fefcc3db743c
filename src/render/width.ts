/** How many columns of a terminal text takes, and cutting it to fit. */

import stringWidth from 'string-width';

/**
 * The columns that one line of text takes: two for East Asian wide characters and emoji, none for colours. This is the string-width that
 * cli-table3 pads by, so that what is measured here stands straight in a table: docs/decisions/0030-one-measure-of-text.md.
 */
export function displayWidth(line: string): number {
  return ASCII.test(line) ? line.length : stringWidth(line);
}

/** `line` where it fits into `width` columns, else as much of its start as does with `…` after it. Colours are closed. */
export function truncate(line: string, width: number): string {
  if (displayWidth(line) <= width) return line;
  let room = width - displayWidth('…');
  let kept = '';
  for (const [index, piece] of line.split(COLOUR_CHANGE).entries()) {
    if (index % 2 === 1) kept += piece;
    else if (room >= 0) {
      const start = takeColumns(piece, room);
      kept += start === piece ? piece : `${start}…`;
      room = start === piece ? room - displayWidth(piece) : -1;
    }
  }
  return kept;
}

/** The end of a name that does not fit, from a `/` on where there is one. */
export function cutStart(name: string, width: number): string {
  if (displayWidth(name) <= width) return name;
  const characters = [...name];
  while (displayWidth(characters.join('')) > width - '...'.length) characters.shift();
  const end = characters.join('');
  const slash = end.indexOf('/');
  return `...${slash > 0 ? end.slice(slash) : end}`;
}

/** Words in lines, no line wider than `width` where the words are not. */
export function fill(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

const ASCII = /^[ -~]*$/;

/** An SGR sequence, captured so that a split keeps it: pieces at odd places are sequences, the others text. */
const COLOUR_CHANGE = new RegExp(`(${'\x1b'}\\[[\\d;]*m)`);

/** The longest start of `text` that fits into `room` columns and splits no character that is seen as one. */
function takeColumns(text: string, room: number): string {
  if (ASCII.test(text)) return text.slice(0, room);
  let taken = '';
  let left = room;
  for (const { segment } of new Intl.Segmenter('en').segment(text)) {
    left -= displayWidth(segment);
    if (left < 0) return taken;
    taken += segment;
  }
  return taken;
}
