import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/model/entry.js';
import { decodeEntry, encodeEntry, ListingWriter } from '../../src/model/mtree.js';
import { decodeListing } from '../support/bytes.js';

const bytes = (minLength: number) =>
  fc.uint8Array({ minLength, maxLength: 20 }).map((array) => Buffer.from(array).toString('latin1'));
const name = bytes(1).filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..');

const anyEntry = fc
  .record({
    name,
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
      name: 'a b#\xe9' as never,
    };
    expect(encodeEntry(entry)).toBe('a\\040b\\043\\351 type=dir mode=0755 uid=0 gid=0 time=1.000000002');
  });

  it.each(['', '..', 'nonsense', 'a type=door time=1.000000000', 'a type=file', 'a/b type=dir time=1.000000000'])(
    'is refused where it is none: %j',
    (line) => {
      expect(() => decodeEntry(line, '/the/file')).toThrow(expect.objectContaining({ code: 'store-damaged' }));
    },
  );
});

/** A root, and entries below it: each one deeper than its predecessor, beside it, or above. */
const anyTree = fc
  .array(fc.tuple(anyEntry, fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 20 })
  .map((all) => {
    const root = { ...decodeEntry('. type=dir mode=0755 uid=0 gid=0 time=1.000000002', 'x'), depth: 0 };
    const tree: (Entry & { readonly depth: number })[] = [root];
    for (const [entry, way] of all) {
      const last = tree.at(-1) as (typeof tree)[0];
      const deepest = last.type === 'directory' ? last.depth + 1 : last.depth;
      tree.push({ ...entry, depth: 1 + Math.floor(way * (deepest - 1)) });
    }
    return tree;
  });

describe('a listing', () => {
  it('is read as it was written, each entry at its place', () => {
    fc.assert(
      fc.property(anyTree, (tree) => {
        const way: string[] = [];
        const expected = tree.map(({ depth, ...entry }) => {
          way.length = Math.max(depth - 1, 0);
          if (depth > 0) way.push(entry.name);
          return { ...entry, path: way.join('/') };
        });
        expect(decodeListing(write(tree), 'x')).toEqual(expected);
      }),
    );
  });

  it('is noticed where a byte of it changed', () => {
    const text = write(fc.sample(anyTree, 20).reduce((a, b) => (a.length > b.length ? a : b)));
    for (const at of [0, 15, text.length >> 1, text.length - 2]) {
      const changed = Buffer.from(text);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => decodeListing(changed, 'x'), `${at}`).toThrow(expect.objectContaining({ code: 'store-damaged' }));
    }
    expect(() => decodeListing(text.subarray(0, -1), 'x')).toThrow();
  });

  it('is taken up after whichever line it was left', () => {
    fc.assert(
      fc.property(anyTree, fc.nat(), (tree, number) => {
        const whole = `${write(tree)}`;
        const lines = whole.split('\n').slice(1, -2);
        const left = lines.slice(0, number % (lines.length + 1));
        const writer = new ListingWriter();
        const head = writer.head();
        const taken = left.map((line) => writer.line(line));
        const rest = tree.slice(taken.filter((kind) => kind === 'entry').length);
        const again = rest.map(({ depth, ...entry }) => writer.entry(depth, entry)).join('');
        expect(`${head}${left.map((line) => `${line}\n`).join('')}${again}${writer.seal()}`).toBe(whole);
      }),
    );
  });

  it('takes up no line that it could not have written there', () => {
    const [root, file] = [
      '. type=dir mode=0755 uid=0 gid=0 time=1.000000002',
      'a type=file mode=0 uid=0 gid=0 time=1.000000002',
    ];
    for (const lines of [[file], ['..'], [root, '..'], [root, root], [root, file, '..']]) {
      const writer = new ListingWriter();
      writer.head();
      expect(lines.map((line) => writer.line(line)).at(-1)).toBeUndefined();
    }
  });
});

function write(tree: readonly (Entry & { readonly depth: number })[]): Buffer {
  const writer = new ListingWriter();
  const head = writer.head();
  const lines = tree.map(({ depth, ...entry }) => writer.entry(depth, entry));
  return Buffer.from(`${head}${lines.join('')}${writer.seal()}`);
}
