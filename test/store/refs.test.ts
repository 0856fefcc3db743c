import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import type { BranchName, RepositoryName } from '../../src/model/version.js';
import { RepositoryLayout } from '../../src/store/layout.js';
import { readBranches } from '../../src/store/refs.js';
import { runStep } from '../../src/store/steps.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { plant } from '../support/plant.js';
import { exampleId } from '../support/version.js';

describe('readBranches', () => {
  it('reads branches in the order of their names, and nothing that is being written', () => {
    using place = temporaryDirectory();
    const layout = repository(place);
    plant(layout.branches, {
      main: `${exampleId(2)}\n`,
      Zed: `${exampleId(0)}\n`,
      'a.b-c_d': exampleId(1),
      '.lxcv-main': 'half',
      '.staged': '',
    });
    expect([...readBranches(files, layout)]).toEqual([
      ['Zed', exampleId(0)],
      ['a.b-c_d', exampleId(1)],
      ['main', exampleId(2)],
    ]);
  });

  it('reads what the step `ref` writes', () => {
    using place = temporaryDirectory();
    const layout = repository(place);
    plant(layout.branches, {});
    const path = layout.branch('main' as BranchName);
    runStep(machine, { do: 'ref', path, id: exampleId(1) });
    expect([...readBranches(files, layout)]).toEqual([['main', exampleId(1)]]);
    runStep(machine, { do: 'ref', path, id: null });
    expect([...readBranches(files, layout)]).toEqual([]);
  });

  it('finds none where there is no directory', () => {
    using place = temporaryDirectory();
    expect(readBranches(files, repository(place)).size).toBe(0);
  });

  it.each([
    '',
    '\n',
    'main',
    `${exampleId(1)}x`,
    exampleId(1).slice(1),
    `${exampleId(1)}\n${exampleId(2)}\n`,
    '../../etc/pass',
  ])('calls a branch damaged that holds %j, and names it', (content) => {
    using place = temporaryDirectory();
    const layout = repository(place);
    plant(layout.branches, { main: content, other: exampleId(1) });
    expect(() => readBranches(files, layout)).toThrow(
      expect.objectContaining({ code: 'store-damaged', message: expect.stringContaining('/refs/heads/main') }),
    );
  });
});

function repository(place: DisposablePath): RepositoryLayout {
  return new RepositoryLayout(place.path, 'mysql' as RepositoryName);
}
