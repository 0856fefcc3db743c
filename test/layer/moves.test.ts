import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Files, files } from '../../src/host/files.js';
import { SealedDigests } from '../../src/layer/digest.js';
import { findMoves } from '../../src/layer/moves.js';
import type { BytePath } from '../../src/model/byte-path.js';
import type { Change, ChangeKind } from '../../src/model/changes.js';
import { runWithoutYielding } from '../../src/model/job.js';
import { pathOf } from '../../src/model/place.js';
import { temporaryDirectory } from '../support/overlay.js';
import { placeOf } from '../support/place.js';
import { plant } from '../support/plant.js';

const CHANGES = [change('removed', 'old'), change('removed', 'other'), change('added', 'new')];

it('finds a file that has another name', () => {
  expect(movesIn(files)).toEqual([['new', 'old']]);
});

it('looks at no candidate again and again, where very many files have the same bytes', () => {
  using room = temporaryDirectory();
  const names = Array.from({ length: 2000 }, (_, index) => `${index}`).sort();
  let looks = 0;
  const changes = (['removed', 'added'] as const).flatMap((kind) => {
    const letter = kind === 'removed' ? 'r' : 'a';
    plant(join(room.path, kind), Object.fromEntries(names.map((name) => [`${letter}${name}`, 'same'])));
    return names.map((name): Change => {
      const { parent, depth } = placeOf(name);
      const place = {
        ...{ parent, depth },
        get name() {
          looks += 1;
          return `${letter}${name}` as BytePath;
        },
      };
      return { kind, place, path: name as BytePath, type: 'file', size: 4 };
    });
  });
  using sealed = new SealedDigests(files, new Map());
  const source = (kind: string) => ({ layers: [join(room.path, kind)], sealed });
  const moves = runWithoutYielding(findMoves(files, source('removed'), source('added'), changes));
  expect(moves.map(({ from, to }) => [from.name, to.name])).toEqual(names.map((name) => [`r${name}`, `a${name}`]));
  expect(looks).toBeLessThan(20 * names.length);
});

it('leaves out a file that is gone when it is to be read, or is no file any more', () => {
  for (const code of ['ENOENT', 'ESTALE', 'ELOOP']) {
    const openFile: Files['openFile'] = (path) => {
      if (!`${path}`.endsWith('/new')) return files.openFile(path);
      throw Object.assign(new Error(code), { code });
    };
    expect(movesIn({ ...files, openFile })).toEqual([]);
  }
  const openFile: Files['openFile'] = () => {
    throw Object.assign(new Error('EIO'), { code: 'EIO' });
  };
  expect(() => movesIn({ ...files, openFile })).toThrow('EIO');
});

function movesIn(machine: Files): [to: BytePath, from: BytePath][] {
  using place = temporaryDirectory();
  plant(place.path, { 'before/old': 'same', 'before/other': 'else', 'after/new': 'same' });
  using sealed = new SealedDigests(machine, new Map());
  const [before, after] = ['before', 'after'].map((name) => ({ layers: [`${place.path}/${name}`], sealed }));
  const moves = findMoves(machine, before as NonNullable<typeof before>, after as NonNullable<typeof after>, CHANGES);
  return runWithoutYielding(moves).map(({ from, to }) => [pathOf(to), pathOf(from)]);
}

function change(kind: ChangeKind, path: string): Change {
  return { kind, place: placeOf(path), path: path as BytePath, type: 'file', size: 4 };
}
