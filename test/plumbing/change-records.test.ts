import { describe, expect, it } from 'vitest';
import type { BytePath } from '../../src/model/byte-path.js';
import type { Attributes } from '../../src/model/changes.js';
import { ChangeRecords, type Sides } from '../../src/plumbing/change-records.js';
import { placeOf } from '../support/place.js';

const PATH = 'etc/shadow' as BytePath;

describe('changes as they are told', () => {
  it.each<[string, Sides]>([
    ['neither side', {}],
    ['what it had', { before: attributes(1) }],
    ['what it has', { after: attributes(2) }],
    ['both sides', { before: attributes(1), after: attributes(2) }],
  ])('keep %s', (_, sides) => {
    const told = new ChangeRecords();
    told.make(placeOf(PATH), { kind: 'added', type: 'directory' }, { after: attributes(3) });
    const change = told.make(placeOf(PATH), { kind: 'metadata', type: 'file' }, sides, { size: 7, sizeBefore: 5 });
    told.make(placeOf(PATH), { kind: 'removed', type: 'file' }, { before: attributes(4), after: attributes(5) });
    const { path, kind, type, size, sizeBefore, before, after } = change;
    expect({ path, kind, type, size, sizeBefore }).toEqual({
      ...{ path: PATH, kind: 'metadata', type: 'file', size: 7, sizeBefore: 5 },
    });
    expect({ before, after }).toEqual({ before: sides.before, after: sides.after });
  });

  it('have no sizes where none are to be told', () => {
    const change = new ChangeRecords().make(placeOf(PATH), { kind: 'removed', type: 'file' }, {});
    expect([change.kind, change.type, change.size, change.sizeBefore]).toEqual(['removed', 'file', 0, 0]);
  });

  it('keep the attributes of very many, alike or not', () => {
    const told = new ChangeRecords();
    const count = 140_000;
    const changes = Array.from({ length: count }, (_, index) =>
      told.make(placeOf(PATH), { kind: 'added', type: 'file' }, { after: attributes(index) }),
    );
    for (const index of [0, 1, 4095, 65_535, 65_536, 65_537, 131_072, count - 1]) {
      expect(changes[index]?.after).toEqual(attributes(index));
    }
  });

  it('tell attributes apart that differ in one thing alone', () => {
    const told = new ChangeRecords();
    const plain: Attributes = { mode: 0o644, uid: 1, gid: 2, mtimeNs: 0n, xattrs: new Map() };
    const all = [
      plain,
      ...[
        { mode: 0o4644 },
        { uid: 2 },
        { gid: 1 },
        { mtimeNs: -1n },
        { mtimeNs: -(10n ** 21n) },
        { mtimeNs: 10n ** 21n },
      ].map((other) => ({ ...plain, ...other })),
      ...['a', 'b'].map((value) => ({ ...plain, xattrs: new Map([['user.a', Buffer.from(value)]]) })),
      { ...plain, xattrs: new Map([['user.b', Buffer.from('a')]]) },
      { ...plain, xattrs: new Map([['user.a', Buffer.from([0xff, 0])]]) },
    ];
    const changes = all.map((after) => told.make(placeOf(PATH), { kind: 'added', type: 'file' }, { after }));
    expect(changes.map(({ after }) => after)).toEqual(all);
  });
});

function attributes(index: number): Attributes {
  const xattrs = index % 2 === 0 ? new Map() : new Map([['user.even', Buffer.from('no')]]);
  return { mode: index % 0o10000, uid: 0xfffffffe, gid: 0, mtimeNs: BigInt(index) * 1_000_000_007n - 5n, xattrs };
}
