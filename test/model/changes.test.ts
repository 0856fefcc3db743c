import { describe, expect, it } from 'vitest';
import type { BytePath } from '../../src/model/byte-path.js';
import {
  type Change,
  type ChangeKind,
  ChangeList,
  countChanges,
  type ListedChange,
  type NameRange,
} from '../../src/model/changes.js';
import { runWithoutYielding } from '../../src/model/job.js';
import { ROOT_PLACE } from '../../src/model/place.js';
import { placeOf } from '../support/place.js';

describe('ChangeList', () => {
  const listed: NameRange = {
    ...{ parent: placeOf('etc'), kind: 'added', type: 'symlink' },
    names: ['a', 'b'] as BytePath[],
  };
  const unsized = { kind: 'added', type: 'symlink', size: 0, sizeBefore: 0 };

  it('tells each change of a listing, in its place', () => {
    const list = new ChangeList<Change>([change('added', 1), listed, change('removed', 2)]);
    const all = [
      change('added', 1),
      { path: 'etc/a', ...unsized },
      { path: 'etc/b', ...unsized },
      change('removed', 2),
    ];
    const told = [...list].map((each) => ({ path: each.path, kind: each.kind, type: each.type, size: each.size }));
    expect(told).toEqual(all.map(({ path, kind, type, size }) => ({ path, kind, type, size })));
    expect(list.length).toBe(4);
  });

  it('tells the sizes of a listing where it has them, of what went as those before', () => {
    const sized: NameRange = { ...listed, type: 'file', sizes: [3, 5] };
    const sizesOf = (part: NameRange) =>
      [...new ChangeList<Change>([part])]
        .map((change) => change as ListedChange)
        .map(({ size, sizeBefore }) => [size, sizeBefore]);
    expect(sizesOf(sized)).toEqual([
      [3, 0],
      [5, 0],
    ]);
    expect(sizesOf({ ...sized, kind: 'removed' })).toEqual([
      [3, 3],
      [5, 5],
    ]);
  });

  it('joins names to the root', () => {
    expect([...new ChangeList<Change>([{ ...listed, parent: ROOT_PLACE }])].map(({ path }) => path)).toEqual([
      'a',
      'b',
    ]);
  });
});

describe('countChanges', () => {
  it('counts none', () => {
    expect(runWithoutYielding(countChanges([]))).toEqual({ added: 0, modified: 0, removed: 0, bytes: 0 });
  });

  it('adds up kinds and bytes, metadata with what was modified', () => {
    const changes = [
      change('added', 10),
      change('added', 0),
      change('modified', 5),
      change('metadata', 7),
      change('removed', 9),
    ];
    expect(runWithoutYielding(countChanges(changes))).toEqual({ added: 2, modified: 2, removed: 1, bytes: 22 });
  });

  it('takes changes as they come, without holding them', () => {
    function* many() {
      for (let i = 0; i < 100_000; i += 1) yield change('added', 1);
    }
    expect(runWithoutYielding(countChanges(many()))).toEqual({
      added: 100_000,
      modified: 0,
      removed: 0,
      bytes: 100_000,
    });
  });
});

function change(kind: ChangeKind, size = 0): Change {
  return { place: placeOf('path'), path: 'path' as BytePath, kind, type: 'file', size };
}
