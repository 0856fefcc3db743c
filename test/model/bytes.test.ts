import { array, assert, integer, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { piecesOf, portionsOf, readAll } from '../../src/model/bytes.js';
import { asBytes } from '../support/bytes.js';

const MIB = 2 ** 20;

describe('bytes in portions', () => {
  it('are all there, in order', () => {
    const all = Buffer.from(Array.from({ length: MIB + 7 }, (_, index) => index % 251));
    const portions = [...portionsOf(asBytes(all))].length;
    expect(portions).toBeGreaterThan(2);
    expect(join(portionsOf(asBytes(all))).equals(all)).toBe(true);
    expect(join(portionsOf(asBytes(all), 1000)).equals(all.subarray(0, 1000))).toBe(true);
    expect(readAll(asBytes(all)).equals(all)).toBe(true);
  });

  it('are none of nothing, and what there is of a file that became shorter', () => {
    expect([...portionsOf(asBytes(Buffer.alloc(0)))]).toEqual([]);
    expect(readAll(asBytes(Buffer.alloc(0)))).toHaveLength(0);
    const shorter = { ...asBytes(Buffer.from('abc')), size: 10 };
    expect(join(portionsOf(shorter)).toString()).toBe('abc');
    expect(readAll(shorter).toString()).toBe('abc');
  });
});

describe('pieces', () => {
  it('are what ends with the separator', () => {
    assert(
      property(array(string({ unit: 'grapheme-ascii' })), string({ unit: 'grapheme-ascii' }), (lines, rest) => {
        const [whole, end] = [lines.map((line) => line.replaceAll(';', '')), rest.replaceAll(';', '')];
        const text = `${whole.map((line) => `${line};`).join('')}${end}`;
        expect([...piecesOf(asBytes(Buffer.from(text)), ';')]).toEqual(whole);
      }),
    );
  });

  it('may be longer than a portion, and begin in one and end in another', () => {
    assert(
      property(array(integer({ min: 0, max: MIB }), { maxLength: 5 }), (lengths) => {
        const bytes = asBytes(Buffer.from(lengths.map((length) => `${'x'.repeat(length)}\0`).join('')));
        expect([...piecesOf(bytes, '\0')].map((piece) => piece.length)).toEqual(lengths);
      }),
      { numRuns: 20 },
    );
  });

  it('keep each byte as one character', () => {
    expect([...piecesOf(asBytes(Buffer.from([0xff, 0xc3, 0xa9, 10, 0x80, 10])), '\n')]).toEqual([
      '\xff\xc3\xa9',
      '\x80',
    ]);
  });
});

function join(portions: Iterable<Buffer>): Buffer {
  return Buffer.concat(Array.from(portions, (portion) => Buffer.from(portion)));
}
