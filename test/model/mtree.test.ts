import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/model/entry.js';
import { decodeEntry, encodeEntry, ListingWriter } from '../../src/model/mtree.js';
import { decodeListing } from '../support/bytes.js';

const bytes = (minLength: number) =>
  fc.uint8Array({ minLength, maxLength: 20 }).map((array) => Buffer.from(array).toString('latin1'));
const names = fc.array(
  bytes(1).filter((name) => !/[/\0]/.test(name)),
  { maxLength: 4 },
);

const anyEntry = fc
  .record({
    path: names.map((parts) => parts.join('/')),
    type: fc.constantFrom('file', 'directory', 'symlink', 'fifo', 'socket', 'char', 'block'),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    gid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    size: fc.nat(),
    digest: fc.constant('ab'.repeat(32)),
    target: bytes(1),
    rawDevice: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    xattrs: fc.array(fc.tuple(bytes(1), fc.uint8Array({ maxLength: 30 }))),
  })
  .map(({ size, digest, target, rawDevice, xattrs, ...entry }) => ({
    ...entry,
    ...(entry.type === 'file' ? { size, digest } : {}),
    ...(entry.type === 'symlink' ? { target } : {}),
    ...(entry.type === 'char' || entry.type === 'block' ? { rawDevice } : {}),
    xattrs: new Map(xattrs.map(([name, value]) => [name, Buffer.from(value)])),
  })) as fc.Arbitrary<unknown> as fc.Arbitrary<Entry>;

describe('a line of a listing', () => {
  it('says of an entry all that there is', () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        expect(decodeEntry(encodeEntry(entry), 'x')).toEqual(entry);
      }),
    );
  });

  it('is a line of mtree(5) that other programs read', () => {
    const entry = {
      ...decodeEntry('. type=dir mode=0755 uid=0 gid=0 time=1.000000002', 'x'),
      path: 'a b/\xe9' as never,
    };
    expect(encodeEntry(entry)).toBe('./a\\040b/\\351 type=dir mode=0755 uid=0 gid=0 time=1.000000002');
  });

  it.each(['', 'nonsense', './a type=door time=1.000000000', './a type=file', 'a type=dir time=1.000000000'])(
    'is refused where it is none: %j',
    (line) => {
      expect(() => decodeEntry(line, '/the/file')).toThrow(expect.objectContaining({ code: 'store-damaged' }));
    },
  );
});

describe('a listing', () => {
  it('is read as it was written, and noticed where a byte of it changed', () => {
    const entries = fc.sample(anyEntry, 20);
    const text = write(entries);
    expect(decodeListing(text, 'x')).toEqual(entries);
    for (const at of [0, 15, text.length >> 1, text.length - 2]) {
      const changed = Buffer.from(text);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => decodeListing(changed, 'x'), `${at}`).toThrow(expect.objectContaining({ code: 'store-damaged' }));
    }
    expect(() => decodeListing(text.subarray(0, -1), 'x')).toThrow();
  });

  it('is taken up where it was left', () => {
    const entries = fc.sample(anyEntry, 20);
    const [first, second] = [new ListingWriter(), new ListingWriter()];
    const lines = entries.slice(0, 12).map((entry) => encodeEntry(entry));
    expect([second.head(), ...lines.map((line) => second.line(line))]).toEqual([
      first.head(),
      ...entries.slice(0, 12).map((entry) => first.entry(entry)),
    ]);
    for (const entry of entries.slice(12)) expect(second.entry(entry)).toBe(first.entry(entry));
    expect(second.seal()).toBe(first.seal());
  });
});

function write(entries: readonly Entry[]): Buffer {
  const writer = new ListingWriter();
  return Buffer.from(`${writer.head()}${entries.map((entry) => writer.entry(entry)).join('')}${writer.seal()}`);
}
