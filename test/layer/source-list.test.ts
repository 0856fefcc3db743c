import { array, assert, bigInt, constantFrom, oneof, property, tuple, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSources, encodeSources, type Source, SourceList } from '../../src/layer/source-list.js';
import { type BytePath, decodePath } from '../../src/model/byte-path.js';
import { asBytes } from '../support/bytes.js';

const number = bigInt({ min: 0n, max: (1n << 64n) - 1n });
const anyPath = oneof(
  constantFrom('', 'a', 'a/b', 'a/bc', 'a\xff').map((path) => path as BytePath),
  uint8Array({ min: 1, maxLength: 30 }).map(decodePath),
);
const anySources = array(
  tuple(anyPath, number, number).map(([path, inode, ctimeNs]): [BytePath, Source] => [path, { inode, ctimeNs }]),
);

describe('the list of sources', () => {
  it('tells what was added, in that order', () => {
    assert(
      property(anySources, (sources) => {
        expect([...listOf(sources)]).toEqual(sources);
      }),
    );
  });

  it('has room for many, and for names of any length', () => {
    const sources = Array.from({ length: 5000 }, (_, index): [BytePath, Source] => [
      `${'d/'.repeat(index === 4000 ? 100_000 : index % 7)}file ${index}` as BytePath,
      { inode: BigInt(index), ctimeNs: BigInt(index * 2) },
    ]);
    expect([...listOf(sources)]).toEqual(sources);
  });

  it('gives a file from before the epoch a time that none has', () => {
    expect([...listOf([['a' as BytePath, { inode: 1n, ctimeNs: -1n }]])][0]?.[1].ctimeNs).toBe((1n << 64n) - 1n);
  });
});

describe('the list of sources on disk', () => {
  it('comes back as it was, whatever the names', () => {
    assert(
      property(anySources, (sources) => {
        expect(decode(encode(sources))).toEqual(sources);
      }),
    );
  });

  it.each(['', ' ', '\n', '1 2 3', '1 2 x\n3 4 y', '\xff\xfe'])('keeps the name %j', (name) => {
    const sources: [BytePath, Source][] = [[name as BytePath, { inode: 7n, ctimeNs: 1_700_000_000_123_456_789n }]];
    expect(decode(encode(sources))).toEqual(sources);
  });

  it('is told in pieces where it is long', () => {
    const sources = Array.from({ length: 25_000 }, (_, index): [BytePath, Source] => [
      `${index}` as BytePath,
      { inode: 1n, ctimeNs: 2n },
    ]);
    expect([...encodeSources(sources)]).toHaveLength(3);
    expect(decode(encode(sources))).toEqual(sources);
  });

  it('leaves out what was cut short or is no record, and keeps the rest', () => {
    const whole = encode([
      ['a' as BytePath, { inode: 1n, ctimeNs: 2n }],
      ['b 5 6 c' as BytePath, { inode: 3n, ctimeNs: 4n }],
    ]);
    for (let length = 0; length < whole.length; length += 1) {
      expect(pathsIn(whole.subarray(0, length))).toEqual(length < 6 ? [] : ['a']);
    }
    expect(pathsIn(Buffer.from('x 1 2 no\0-1 2 no\0 1 2 no\0\x001 2 good\0'))).toEqual(['good']);
  });
});

function listOf(sources: readonly [BytePath, Source][]): SourceList {
  const list = new SourceList();
  for (const [path, source] of sources) list.add(path, source);
  return list;
}

function encode(sources: readonly [BytePath, Source][]): Buffer {
  return Buffer.concat([...encodeSources(sources)]);
}

function decode(bytes: Buffer): [BytePath, Source][] {
  return [...decodeSources(asBytes(bytes))];
}

function pathsIn(bytes: Buffer): BytePath[] {
  return decode(bytes).map(([path]) => path);
}
