/** cli-table3 without its lines: columns of text with gaps between them. */

import Table from 'cli-table3';

export type Alignment = 'left' | 'right';

/**
 * An empty table. Each column, the last one too, is followed by `gap` blanks. `widths` are those of the columns without
 * the gap; a column without one becomes as wide as its widest cell.
 */
export function borderlessTable(options: {
  readonly gap: number;
  readonly alignments?: readonly Alignment[];
  readonly widths?: readonly number[];
}): Table.Table {
  return new Table({
    chars: NO_LINES,
    colAligns: [...(options.alignments ?? [])],
    colWidths: (options.widths ?? []).map((width) => width + options.gap),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': options.gap },
  });
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
