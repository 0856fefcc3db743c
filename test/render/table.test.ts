import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Style } from '../../src/render/style.js';
import { type Column, renderTable, tableLines } from '../../src/render/table.js';
import { displayWidth } from '../../src/render/width.js';

const TERMINAL: Style = { colour: false, width: 40, now: new Date(0), human: true };
const PIPE: Style = { ...TERMINAL, human: false };

const COLUMNS: readonly Column[] = [
  { heading: 'NAME' },
  { heading: 'SIZE', align: 'right' },
  { heading: 'AUTHOR', from: 60 },
  { heading: 'MESSAGE', flexible: true },
];

const ROWS = [
  ['mysql', '4.2 MiB', 'Ada', 'Open port 3306'],
  ['日本語', '0 B', 'Grace', 'Try MariaDB 11 from the upstream repository'],
];

describe('renderTable', () => {
  it('aligns columns under their headings and cuts the flexible one to the terminal', () => {
    expect(renderTable(COLUMNS, ROWS, TERMINAL)).toBe(
      lines('NAME       SIZE  MESSAGE', 'mysql   4.2 MiB  Open port 3306', '日本語      0 B  Try MariaDB 11 from th…'),
    );
  });

  it('shows more columns where the terminal is wide enough', () => {
    expect(renderTable(COLUMNS, ROWS, { ...TERMINAL, width: 60 })).toBe(
      lines(
        'NAME       SIZE  AUTHOR  MESSAGE',
        'mysql   4.2 MiB  Ada     Open port 3306',
        '日本語      0 B  Grace   Try MariaDB 11 from the upstream r…',
      ),
    );
  });

  it('shows a pipe all columns and cuts nothing', () => {
    expect(renderTable(COLUMNS, ROWS, PIPE)).toBe(
      lines(
        'NAME       SIZE  AUTHOR  MESSAGE',
        'mysql   4.2 MiB  Ada     Open port 3306',
        '日本語      0 B  Grace   Try MariaDB 11 from the upstream repository',
      ),
    );
  });

  it.each([TERMINAL, { ...TERMINAL, width: 80, colour: true }, PIPE])('draws a long table as any other', (style) => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', '日', '👍🏽', ' ', '-'), maxLength: 24 });
    const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 60 });
    fc.assert(
      fc.property(rows, (some) => {
        expect([...tableLines(COLUMNS, some, style)].join('\n')).toBe(renderTable(COLUMNS, some, style));
      }),
    );
  });

  it('has no line of headings where there are none', () => {
    expect(
      renderTable(
        [{ heading: '' }, { heading: '', align: 'right' }],
        [
          ['a', '1'],
          ['bb', '22'],
        ],
        TERMINAL,
      ),
    ).toBe(lines('a    1', 'bb  22'));
  });

  it('is empty without rows', () => {
    expect(renderTable(COLUMNS, [], TERMINAL)).toBe('');
  });

  it('paints the headings, and closes the colours of what it cuts', () => {
    const columns = [{ heading: 'ID' }, { heading: 'TEXT', flexible: true }];
    const rows = [['\x1b[33mk3j\x1b[39m', '\x1b[2mno message at all\x1b[22m']];
    expect(renderTable(columns, rows, { ...TERMINAL, colour: true, width: 15 })).toBe(
      lines('\x1b[1mID\x1b[22m   \x1b[1mTEXT\x1b[22m', '\x1b[33mk3j\x1b[39m  \x1b[2mno messag…\x1b[22m'),
    );
  });

  it('keeps its columns straight through hundreds of rows', () => {
    const rows = Array.from({ length: 300 }, (_, row) => ['x'.repeat(1 + (row % 7)), `${row}`]);
    const table = renderTable([{ heading: '' }, { heading: '', align: 'right' }], rows, TERMINAL).split('\n');
    expect(table).toEqual(rows.map(([name = '', row = '']) => `${name.padEnd(7)}  ${row.padStart(3)}`));
  });

  it('is never wider than the terminal and never ends a line in blanks', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 30 });
    const rows = fc.array(fc.tuple(cell, cell, cell, cell), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 100 }), (rows, width) => {
        for (const line of renderTable(COLUMNS, rows, { ...TERMINAL, width }).split('\n')) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
          expect(line).toBe(line.trimEnd());
        }
      }),
    );
  });
});

function lines(...all: string[]): string {
  return all.join('\n');
}
