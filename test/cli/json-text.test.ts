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
