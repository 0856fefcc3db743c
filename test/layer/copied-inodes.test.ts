import { array, assert, bigInt, constantFrom, oneof, property, tuple, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CopiedInode,
  CopiedInodeIndex,
  decodeCopiedInodes,
  encodeCopiedInodes,
} from '../../src/layer/copied-inodes.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { type Place, PlaceReader, pathOf } from '../../src/model/place.js';
import { asBytes } from '../support/bytes.js';

const number = bigInt({ min: 1n, max: (1n << 64n) - 1n });
const anyName = oneof(
  constantFrom('a', 'b', 'a\xff', '1 2 3', '\n'),
  uint8Array({ min: 1, minLength: 1, maxLength: 30 })
    .map((bytes) => Buffer.from(bytes).toString('latin1'))
    .filter((name) => !name.includes('/')),
);
const anyPath = array(anyName, { maxLength: 4 }).map((names) => names.join('/') as BytePath);
const anySources = array(
  tuple(anyPath, number, number).map(([path, inode, ctimeNs]): [BytePath, CopiedInode] => [path, { inode, ctimeNs }]),
);

describe('the list of sources', () => {
  it('tells what was added, in that order', () => {
    assert(
      property(anySources, (sources) => {
        expect(named(listOf(sources))).toEqual(sources);
      }),
    );
  });

  it('has room for many, and for names of any length', () => {
    const sources = Array.from({ length: 5000 }, (_, index): [BytePath, CopiedInode] => [
      `${'d/'.repeat(index === 4000 ? 100_000 : index % 7)}file ${index}` as BytePath,
      { inode: BigInt(index + 1), ctimeNs: BigInt(index * 2) },
    ]);
    expect(named(listOf(sources))).toEqual(sources);
  });

  it('gives a file from before the epoch a time that none has', () => {
    expect(named(listOf([['a' as BytePath, { inode: 1n, ctimeNs: -1n }]]))[0]?.[1].ctimeNs).toBe((1n << 64n) - 1n);
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

  it.each([' ', '\n', '1 2 3', '1 2 x\n3 4 y', '\xff\xfe'])('keeps the name %j', (name) => {
    const sources: [BytePath, CopiedInode][] = [[name as BytePath, { inode: 7n, ctimeNs: 1_700_000_000_123_456_789n }]];
    expect(decode(encode(sources))).toEqual(sources);
  });

  it('is told in pieces where it is long', () => {
    const sources = Array.from({ length: 25_000 }, (_, index): [BytePath, CopiedInode] => [
      `${index}` as BytePath,
      { inode: 1n, ctimeNs: 2n },
    ]);
    expect([...encodeCopiedInodes(placed(sources))]).toHaveLength(3);
    expect(decode(encode(sources))).toEqual(sources);
  });

  it('ends before what was cut short or is no record', () => {
    const whole = encode([
      ['a' as BytePath, { inode: 1n, ctimeNs: 2n }],
      ['b/5 6 1 c' as BytePath, { inode: 3n, ctimeNs: 4n }],
    ]);
    for (let length = 0; length < whole.length; length += 1) {
      expect(pathsIn(whole.subarray(0, length))).toEqual(length < 15 ? [] : ['a']);
    }
    for (const bad of ['x 1 2 1 no', '1 2 no', '-1 2 1 no', ' 1 2 1 no', '', '1 2 3 no', `1 2 ${'9'.repeat(30)} no`]) {
      expect(pathsIn(Buffer.from(`1 2 0 \x001 2 1 good\0${bad}\0\x001 2 1 more\0`)), bad).toEqual(['', 'good']);
    }
  });

  it('takes as much as the names, however deep they lie', () => {
    const path = Array.from({ length: 1000 }, (_, index) => `${'n'.repeat(250)}${index}`);
    const sources = path.map((_, index): [BytePath, CopiedInode] => [
      path.slice(0, index + 1).join('/') as BytePath,
      { inode: 1n, ctimeNs: 2n },
    ]);
    expect(encode(sources).length).toBeLessThan(2 * path.join('/').length);
  });
});

function listOf(sources: readonly [BytePath, CopiedInode][]): CopiedInodeIndex {
  const list = new CopiedInodeIndex();
  for (const [place, source] of placed(sources)) list.add(place, source);
  return list;
}

/** As a walk tells them: what lies together shares its directories. */
function* placed(sources: readonly [BytePath, CopiedInode][]): Generator<[Place, CopiedInode]> {
  const places = new PlaceReader();
  for (const [path, source] of sources) yield [places.readPath(path), source];
}

function named(sources: Iterable<readonly [Place, CopiedInode]>): [BytePath, CopiedInode][] {
  return Array.from(sources, ([place, source]) => [pathOf(place), source]);
}

function encode(sources: readonly [BytePath, CopiedInode][]): Buffer {
  return Buffer.concat([...encodeCopiedInodes(placed(sources))]);
}

function decode(bytes: Buffer): [BytePath, CopiedInode][] {
  return named(decodeCopiedInodes(asBytes(bytes)));
}

function pathsIn(bytes: Buffer): BytePath[] {
  return decode(bytes).map(([path]) => path);
}
