import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { each, jsonText } from '../../src/cli/json-text.js';

describe('jsonText', () => {
  it('is what JSON.stringify writes with two blanks', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        expect([...jsonText(object)].join('')).toBe(`${JSON.stringify(object, null, 2)}\n`);
      }),
    );
  });

  it('has an escape for all that a terminal would obey, or that would reorder a line, and is the same value', () => {
    const unsafe = '\x1b\x7f\x80\x9b31m\x9f\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\u{e0001}';
    const object = {
      plain: 'ä 漢 👩‍👩‍👧',
      [unsafe]: unsafe,
      inside: [{ [unsafe]: unsafe }],
      some: each([unsafe], String),
    };
    const text = [...jsonText(object)].join('');
    expect(text.replaceAll('\n', '')).not.toMatch(/(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(text).toContain('"ä 漢 👩‍👩‍👧"');
    expect(JSON.parse(text)).toEqual({ ...object, some: [unsafe] });
  });

  it('leaves out what is undefined, and writes what is iterable as an array', () => {
    const numbers = each([1, 2], (number) => ({ number }));
    const text = [...jsonText({ none: undefined, numbers, empty: each([], String) })].join('');
    expect(JSON.parse(text)).toEqual({ numbers: [{ number: 1 }, { number: 2 }], empty: [] });
  });

  it('never holds more than a part of what is long', () => {
    const pieces = [...jsonText({ lines: each(Array(10_000).keys(), (line) => `This is line ${line}`) })];
    expect(pieces.length).toBeGreaterThan(3);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(70_000);
  });
});
