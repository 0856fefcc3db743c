import { array, assert, bigInt, boolean, constantFrom, property, tuple } from 'fast-check';
import { expect, it } from 'vitest';
import { type Source, SourceTable } from '../../src/layer/source-table.js';
import type { BytePath } from '../../src/model/byte-path.js';

it('holds what a Map would, through any changes', () => {
  const number = bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const path = constantFrom('', 'a', 'a/b', '\xff');
  assert(
    property(array(tuple(boolean(), path, number, number), { maxLength: 50 }), (changes) => {
      const [table, map] = [new SourceTable(), new Map<string, Source>()];
      for (const [isSet, name, inode, ctimeNs] of changes) {
        if (isSet) table.set(name as BytePath, { inode, ctimeNs });
        else table.delete(name as BytePath);
        if (isSet) map.set(name, { inode, ctimeNs });
        else map.delete(name);
        expect(table.get(name as BytePath)).toEqual(map.get(name));
      }
      expect([...table]).toEqual([...map]);
      expect(table.size).toBe(map.size);
    }),
  );
});

it('grows', () => {
  const table = new SourceTable();
  for (let index = 0n; index < 5000n; index += 1n)
    table.set(`${index}` as BytePath, { inode: index, ctimeNs: index * 2n });
  expect(table.size).toBe(5000);
  expect(table.get('0' as BytePath)).toEqual({ inode: 0n, ctimeNs: 0n });
  expect(table.get('4999' as BytePath)).toEqual({ inode: 4999n, ctimeNs: 9998n });
});
