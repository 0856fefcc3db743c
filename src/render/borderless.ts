/** cli-table3 without its lines: columns of text with gaps between them. */
import Table from 'cli-table3';

export type Alignment = 'left' | 'right';

/** An empty table, which makes each column as wide as its widest line and leaves `gap` blanks after it, the last one too. */
export function borderlessTable(alignments: readonly Alignment[], gap: number): Table.Table {
  return new Table({
    chars: NO_LINES,
    colAligns: [...alignments],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
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
