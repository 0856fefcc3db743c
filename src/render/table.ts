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
 * the last has no line feed. Without rows the table is empty.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string {
  if (rows.length === 0) return '';
  const shown = columns
    .map((column, index) => ({ ...column, index }))
    .filter(({ from = 0 }) => !style.human || style.width >= from);
  const headings = shown.map(({ heading }) => paint(style, 'heading', heading));
  const body = rows.map((row) => shown.map(({ index }) => row[index] ?? ''));
  const cells = headings.some((heading) => heading !== '') ? [headings, ...body] : body;
  const lines = layOut(shown, style.human ? fitFlexible(shown, cells, style.width) : cells);
  return lines.map((line) => (style.human ? truncate(line, style.width) : line)).join('\n');
}

const GAP = 2;

/** What the flexible column keeps however narrow the terminal is: below this, lines lose their ends instead. */
const LEAST_FLEXIBLE = 8;

/** The cells, those of the flexible column cut to what the others leave of `width`. */
function fitFlexible(columns: readonly Column[], cells: readonly string[][], width: number): string[][] {
  const flexible = columns.findIndex((column) => column.flexible);
  const others = columns.map((_, index) => (index === flexible ? 0 : GAP + widthOfColumn(cells, index)));
  const room = width - others.reduce((sum, taken) => sum + taken, 0);
  return cells.map((row) =>
    row.map((cell, index) => (index === flexible ? truncate(cell, Math.max(room, LEAST_FLEXIBLE)) : cell)),
  );
}

function widthOfColumn(cells: readonly string[][], index: number): number {
  return cells.reduce((widest, row) => Math.max(widest, displayWidth(row[index] ?? '')), 0);
}

/** A column is one cell of many lines to cli-table3, whose time grows with the square of the number of rows. */
function layOut(columns: readonly Column[], cells: readonly string[][]): string[] {
  const table = borderlessTable(
    columns.map(({ align = 'left' }) => align),
    GAP,
  );
  table.push(columns.map((_, index) => cells.map((row) => row[index]).join('\n')));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}
