import Table from 'cli-table3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, truncate } from '../../src/render/width.js';

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['mysql', 5],
    ['日本語', 6],
    ['e\u0301te\u0301', 3],
    ['👩‍💻', 2],
    ['\x1b[1m\x1b[36mHEAD\x1b[39m\x1b[22m', 4],
    ['\x1b[33m日\x1b[39m', 2],
  ])('of %j is %d', (line, width) => {
    expect(displayWidth(line)).toBe(width);
  });

  it('is the width that cli-table3 pads to', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...ODD)) }), (line) => {
        const table = new Table({ style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } });
        table.push([line]);
        expect(Math.max(displayWidth(line), 1)).toBe(table.width - '││'.length);
      }),
    );
  });
});

/** What releases of string-width measure differently. */
const ODD = ['ที่', 'हिन्दी', '🫠', '🛜', '👩‍💻', '\u200b', '\u202e', 'e\u0301', '日', '\x1b[33m', '\x1b[39m'];

describe('truncate', () => {
  it.each([
    ['mysql', 5, 'mysql'],
    ['mysql_tmp', 5, 'mysq…'],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['a😀b', 3, 'a…'],
    ['te\u0301te\u0301', 3, 'te\u0301…'],
    ['mysql', 1, '…'],
    ['mysql', 0, ''],
  ])('cuts %j to %d columns: %j', (line, width, cut) => {
    expect(truncate(line, width)).toBe(cut);
  });

  it('closes the colours that it cuts into', () => {
    expect(truncate('\x1b[1mHEAD\x1b[22m -> mysql', 3)).toBe('\x1b[1mHE…\x1b[22m');
    expect(truncate('\x1b[1mHEAD\x1b[22m -> mysql', 8)).toBe('\x1b[1mHEAD\x1b[22m ->…');
  });

  it('never takes more room than there is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(12), (line, width) => {
        expect(displayWidth(truncate(line, width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});
