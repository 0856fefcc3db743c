import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BytePath,
  decodeArgument,
  decodePath,
  encodeArgument,
  encodePath,
  hasOddBytes,
  isUtf8,
  joinPath,
  pathToText,
  quoteBytes,
  ROOT,
  unquoteBytes,
} from '../../src/model/byte-path.js';
import { escapeName } from '../../src/render/escape.js';

describe('a path of bytes', () => {
  it('is the bytes that it was made of, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const path = decodePath(bytes);
        expect(path).toHaveLength(bytes.length);
        expect(encodePath(path).equals(bytes)).toBe(true);
        expect(decodePath(encodePath(path))).toBe(path);
      }),
    );
  });

  it('is made of its part of a larger buffer alone', () => {
    expect(decodePath(new Uint8Array([0x61, 0x62, 0x63, 0x64]).subarray(1, 3))).toBe('bc');
  });

  it('sorts as its bytes do', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        const [one, other] = [decodePath(a), decodePath(b)];
        expect(one < other).toBe(Buffer.compare(a, b) < 0);
      }),
    );
  });

  it('is joined with a name by a slash, but for the root', () => {
    const [a, b] = ['a' as BytePath, '\xff' as BytePath];
    expect(joinPath(ROOT, a)).toBe('a');
    expect(joinPath(joinPath(ROOT, a), b)).toBe('a/\xff');
  });
});

describe('an argument', () => {
  it('keeps all of its bytes, and text is as it is', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(encodeArgument(decodeArgument(bytes))).toBe(decodePath(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodeArgument(Buffer.from(text, 'utf8'))).toBe(text);
        expect(hasOddBytes(text)).toBe(false);
      }),
    );
    expect(hasOddBytes(decodeArgument(Buffer.from('caf\xe9', 'latin1')))).toBe(true);
  });
});

describe('quotes of C', () => {
  it('lose nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const path = decodePath(bytes);
        expect(unquoteBytes(quoteBytes(path))).toBe(path);
        const shown = escapeName(path);
        if (shown.startsWith('"')) expect(unquoteBytes(Buffer.from(shown, 'utf8').toString('latin1'))).toBe(path);
      }),
    );
  });

  it.each(['a', '"a', '"a"b"', '"\\x"', '"\\"', '"\\400"'])(
    'are not taken for such where they are none: %s',
    (text) => {
      expect(unquoteBytes(text)).toBeUndefined();
    },
  );
});

describe('pathToText', () => {
  it.each([
    ['plain/path', 'plain/path', true],
    ['\xc3\xbcml\xc3\xa4ut', 'ümläut', true],
    ['\xf0\x9f\x90\xa7', '🐧', true],
    ['line\nbreak', 'line\nbreak', true],
    ['', '', true],
    ['\xff\xfe', '\ufffd\ufffd', false],
    ['a\xc3', 'a\ufffd', false],
    ['\xed\xa0\x80', '\ufffd\ufffd\ufffd', false],
    ['\xc0\xaf', '\ufffd\ufffd', false],
    ['\xef\xbf\xbd', '\ufffd', true],
  ])('reads %j as UTF-8, and tells where it cannot', (path, text, whole) => {
    expect(pathToText(path as BytePath)).toBe(text);
    expect(isUtf8(path as BytePath)).toBe(whole);
  });

  it('loses nothing where isUtf8 says so', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const path = decodePath(Buffer.from(text, 'utf8'));
        expect(isUtf8(path)).toBe(true);
        expect(decodePath(Buffer.from(pathToText(path), 'utf8'))).toBe(path);
      }),
    );
  });
});
