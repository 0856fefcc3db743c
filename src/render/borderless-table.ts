/** cli-table3 without its lines: columns of text with gaps between them. */

import Table from 'cli-table3';

export type Alignment = 'left' | 'right';

/**
 * The lines of a table, each row one, with `gap` blanks behind each column, the last one too. No cell is wider than its column. It takes a
 * time that grows with the square of the rows.
 */
export function borderlessLines(
  columns: readonly { readonly align: Alignment; readonly width: number }[],
  rows: readonly (readonly string[])[],
  gap: number,
): string[] {
  const table = new Table({
    chars: NO_LINES,
    colAligns: columns.map(({ align }) => align),
    colWidths: columns.map(({ width }) => width + gap),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().split('\n');
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
