/** Tables without lines: columns under headings, fitted to the terminal. */

import { type Alignment, borderlessTable } from './borderless.js';
import { paint, type Style } from './style.js';
import { displayWidth, truncate } from './width.js';

export interface Column {
  /** Where no column has a heading, the table has none. */
  readonly heading: string;
  /** `left` if not given. */
  readonly align?: Alignment;
  /** The one column that gives way, and is cut, where the terminal is too narrow for all. */
  readonly flexible?: boolean;
  /** The width of a terminal from which on the column is shown; a pipe is shown every column. */
  readonly from?: number;
}

/**
 * The rows, each with one cell for each of `columns`, under their headings. A cell is one line, already escaped, and may
 * be painted. On a terminal no line is wider than `style.width`; for a pipe nothing is cut. No line ends in blanks, and
 * the last has no line feed. Without rows the table is empty. One that is or can be `long` is drawn without cli-table3, which
 * takes a tenth of a millisecond for each row, and 20 ms for the first; the lines are the same.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
  { long = false }: { readonly long?: boolean } = {},
): string {
  if (rows.length === 0) return '';
  const shown = columns
    .map((column, index) => ({ ...column, index }))
    .filter(({ from = 0 }) => !style.human || style.width >= from);
  const headings = shown.map(({ heading }) => paint(style, 'heading', heading));
  const body = rows.map((row) => shown.map(({ index }) => row[index] ?? ''));
  const cells = headings.some((heading) => heading !== '') ? [headings, ...body] : body;
  const widths = fitWidths(shown, cells, style);
  return (long ? padRows(shown, widths, cells) : layOut(shown, widths, cells))
    .map((line) => (style.human ? truncate(line, style.width) : line))
    .join('\n');
}

const GAP = 2;

/** What the flexible column keeps however narrow the terminal is: below this, lines lose their ends instead. */
const LEAST_FLEXIBLE = 8;

/** cli-table3 takes a time that grows with the square of the rows, so it is given a few at once. */
const ROWS_AT_ONCE = 16;

/** The width of each column: that of its widest cell, but for the flexible one, which takes what the others leave. */
function fitWidths(columns: readonly Column[], cells: readonly (readonly string[])[], style: Style): number[] {
  const natural = columns.map((_, index) =>
    cells.reduce((widest, row) => Math.max(widest, displayWidth(row[index] ?? '')), 0),
  );
  if (!style.human) return natural;
  const excess = natural.reduce((sum, width) => sum + width + GAP, -GAP) - style.width;
  return natural.map((width, index) =>
    columns[index]?.flexible ? Math.min(width, Math.max(width - excess, LEAST_FLEXIBLE)) : width,
  );
}

/** A row whose flexible cell is cut to what is left for it. */
function cutFlexible(columns: readonly Column[], widths: readonly number[], row: readonly string[]): string[] {
  return row.map((cell, index) => (columns[index]?.flexible ? truncate(cell, widths[index] ?? 0) : cell));
}

function layOut(
  columns: readonly Column[],
  widths: readonly number[],
  cells: readonly (readonly string[])[],
): string[] {
  const alignments = columns.map(({ align = 'left' }) => align);
  const lines: string[] = [];
  for (let start = 0; start < cells.length; start += ROWS_AT_ONCE) {
    const table = borderlessTable({ gap: GAP, alignments, widths });
    table.push(...cells.slice(start, start + ROWS_AT_ONCE).map((row) => cutFlexible(columns, widths, row)));
    lines.push(
      ...table
        .toString()
        .split('\n')
        .map((line) => line.trimEnd()),
    );
  }
  return lines;
}

function padRows(
  columns: readonly Column[],
  widths: readonly number[],
  cells: readonly (readonly string[])[],
): string[] {
  return cells.map((row) => {
    const padded = cutFlexible(columns, widths, row).map((cell, index) => {
      const blanks = ' '.repeat(Math.max((widths[index] ?? 0) - displayWidth(cell), 0));
      return columns[index]?.align === 'right' ? `${blanks}${cell}` : `${cell}${blanks}`;
    });
    return padded.join(' '.repeat(GAP)).trimEnd();
  });
}
