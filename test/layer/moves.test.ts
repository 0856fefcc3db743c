import { expect, it } from 'vitest';
import { type Files, files } from '../../src/host/files.js';
import { SealedDigests } from '../../src/layer/digest.js';
import { findMoves } from '../../src/layer/moves.js';
import type { BytePath } from '../../src/model/byte-path.js';
import type { Change, ChangeKind } from '../../src/model/changes.js';
import { finish } from '../../src/model/job.js';
import { temporaryDirectory } from '../support/overlay.js';
import { plant } from '../support/plant.js';

const CHANGES = [change('removed', 'old'), change('removed', 'other'), change('added', 'new')];

it('finds a file that has another name', () => {
  expect([...movesIn(files)]).toEqual([['new', 'old']]);
});

it('leaves out a file that is gone when it is to be read, or is no file any more', () => {
  for (const code of ['ENOENT', 'ESTALE', 'ELOOP']) {
    const openFile: Files['openFile'] = (path) => {
      if (!`${path}`.endsWith('/new')) return files.openFile(path);
      throw Object.assign(new Error(code), { code });
    };
    expect([...movesIn({ ...files, openFile })]).toEqual([]);
  }
  const openFile: Files['openFile'] = () => {
    throw Object.assign(new Error('EIO'), { code: 'EIO' });
  };
  expect(() => movesIn({ ...files, openFile })).toThrow('EIO');
});

function movesIn(machine: Files): Map<BytePath, BytePath> {
  using place = temporaryDirectory();
  plant(place.path, { 'before/old': 'same', 'before/other': 'else', 'after/new': 'same' });
  using sealed = new SealedDigests(machine, new Map());
  const [before, after] = ['before', 'after'].map((name) => ({ layers: [`${place.path}/${name}`], sealed }));
  return finish(findMoves(machine, before as NonNullable<typeof before>, after as NonNullable<typeof after>, CHANGES));
}

function change(kind: ChangeKind, path: string): Change {
  return { kind, path: path as BytePath, type: 'file', size: 4 };
}
