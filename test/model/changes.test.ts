import { describe, expect, it } from 'vitest';
import type { BytePath } from '../../src/model/byte-path.js';
import { type Change, type ChangeKind, countChanges } from '../../src/model/changes.js';
import { finish } from '../../src/model/job.js';

describe('countChanges', () => {
  it('counts none', () => {
    expect(finish(countChanges([]))).toEqual({ added: 0, modified: 0, removed: 0, bytes: 0 });
  });

  it('adds up kinds and bytes, metadata with what was modified', () => {
    const changes = [
      change('added', 10),
      change('added', 0),
      change('modified', 5),
      change('metadata', 7),
      change('removed', 9),
    ];
    expect(finish(countChanges(changes))).toEqual({ added: 2, modified: 2, removed: 1, bytes: 22 });
  });

  it('takes changes as they come, without holding them', () => {
    function* many() {
      for (let i = 0; i < 100_000; i += 1) yield change('added', 1);
    }
    expect(finish(countChanges(many()))).toEqual({ added: 100_000, modified: 0, removed: 0, bytes: 100_000 });
  });
});

function change(kind: ChangeKind, size = 0): Change {
  return { path: 'path' as BytePath, kind, type: 'file', size };
}
