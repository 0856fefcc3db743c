/**
 * Tables without lines: columns under headings, fitted to the terminal. `fitTable` alone decides which columns are shown, how wide each is and
 * what is cut. Rows so fitted are drawn by cli-table3 where they are few, and else by `padRow`, which draws the same a row at a time and in a
 * hundredth of the time: docs/decisions/0030-one-measure-of-text.md.
 */

import { type Alignment, borderlessLines } from './borderless-table.js';
import { paint, type Style } from './style.js';
import { displayWidth, truncate } from './width.js';

export interface Column {
  /** Where no column has a heading, the table has none. */
  readonly heading: string;
  /** `left` if not given. */
  readonly align?: Alignment;
  /** The one column that gives way first, and is cut, where the terminal is too narrow for all. */
  readonly flexible?: boolean;
  /** The width of a terminal from which on the column is shown; a pipe or a file is shown every column. */
  readonly from?: number;
}

/**
 * The rows, each with one cell for each of `columns`, under their headings. A cell is one line, already escaped, and may
 * be painted. On a terminal no line is wider than `style.width`; for a pipe nothing is cut. No line ends in blanks, and
 * the last has no line feed. What a row lacks at its end is empty. Without rows the table is.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string {
  const { shown, cells } = fitTable(columns, rows, style);
  const lines =
    rows.length > SHORT_ROWS
      ? cells.map((row) => padRow(shown, row))
      : borderlessLines(
          shown,
          cells.map((row) => shown.map((column, at) => cut(column, row[at] ?? ''))),
          GAP,
        );
  return lines.map((line) => fitLine(line, style)).join('\n');
}

/** The lines of the same table, made as they are asked for, of one that is or can be long. */
export function* tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): Generator<string> {
  const { shown, cells } = fitTable(columns, rows, style);
  for (const row of cells) yield fitLine(padRow(shown, row), style);
}

const GAP = 2;
const BETWEEN = ' '.repeat(GAP);

/** The part of the terminal that the flexible column keeps however long the names beside it are, and the columns that it keeps in any case. */
const FLEXIBLE_PART = 0.25;
const LEAST_FLEXIBLE = 8;

/** What any other column keeps, where it is wider. */
const LEAST_NAME = 12;

/** No longer table is given to cli-table3. */
const SHORT_ROWS = 16;

/** A column as it is drawn. */
interface Fitted {
  readonly align: Alignment;
  readonly width: number;
  /** Some of its cells are wider than that. */
  readonly isCut: boolean;
  /** Each of its cells takes as many columns of the terminal as it has characters. */
  readonly isPlain: boolean;
}

/** The columns that are shown, and their cells, headings first where there are any. */
function fitTable(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style) {
  const terminal = style.human ? style.width : Number.POSITIVE_INFINITY;
  const isShown = ({ from = 0 }: Column) => terminal >= from;
  const shown = columns.filter(isShown);
  const isWhole = shown.length === columns.length;
  const body = isWhole
    ? rows
    : rows.map((row) => columns.flatMap((column, at) => (isShown(column) ? [row[at] ?? ''] : [])));
  const headings = shown.map(({ heading }) => paint(style, 'heading', heading));
  const hasHeadings = rows.length > 0 && headings.some((heading) => heading !== '');
  const cells = hasHeadings ? [headings, ...body] : body;
  return { shown: fitColumns(shown, cells, style), cells };
}

/** Each column is as wide as its widest cell, but for the flexible one, which takes what the others leave. */
function fitColumns(columns: readonly Column[], cells: readonly (readonly string[])[], style: Style): Fitted[] {
  const natural = columns.map((_, index) => {
    let widest = 0;
    let isPlain = true;
    for (const row of cells) {
      const cell = row[index] ?? '';
      const width = displayWidth(cell);
      if (width > widest) widest = width;
      isPlain &&= width === cell.length;
    }
    return { widest, isPlain };
  });
  const whole = natural.reduce((sum, { widest }) => sum + widest + GAP, -GAP);
  const excess = style.human ? Math.max(whole - style.width, 0) : 0;
  const least = Math.max(LEAST_FLEXIBLE, Math.floor(style.width * FLEXIBLE_PART));
  const widths = columns.map(({ flexible }, index) => {
    const { widest } = natural[index] as (typeof natural)[number];
    return flexible ? Math.min(widest, Math.max(widest - excess, least)) : widest;
  });
  if (style.human) narrow(widths, style.width - GAP * (widths.length - 1));
  return columns.map(({ align = 'left' }, index) => {
    const { widest, isPlain } = natural[index] as (typeof natural)[number];
    const width = widths[index] as number;
    return { align, width, isCut: width < widest, isPlain };
  });
}

/** Takes from the widest columns until all fit: one long name must not hide all that comes after it. */
function narrow(widths: number[], room: number): void {
  for (let excess = widths.reduce((sum, width) => sum + width, -room); excess > 0; excess -= 1) {
    const widest = Math.max(...widths);
    if (widest <= LEAST_NAME) return;
    widths[widths.indexOf(widest)] = widest - 1;
  }
}

function padRow(columns: readonly Fitted[], row: readonly string[]): string {
  let line = '';
  for (let index = 0; index < row.length; index += 1) {
    line += pad(columns[index] as Fitted, row[index] as string);
    line += BETWEEN;
  }
  return line;
}

function pad(column: Fitted, whole: string): string {
  const { align, width, isPlain } = column;
  const cell = cut(column, whole);
  const length = isPlain ? width : width + cell.length - displayWidth(cell);
  return align === 'right' ? cell.padStart(length) : cell.padEnd(length);
}

function cut({ width, isCut }: Fitted, cell: string): string {
  return isCut ? truncate(cell, width) : cell;
}

/** Of a terminal so narrow that the columns, at their least, still do not fit. */
function fitLine(line: string, style: Style): string {
  const text = line.trimEnd();
  return style.human ? truncate(text, style.width) : text;
}
