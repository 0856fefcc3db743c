import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import type { BranchName, RepositoryName } from '../../src/model/version.js';
import { RepositoryLayout } from '../../src/store/layout.js';
import { readRefs } from '../../src/store/refs.js';
import { runStep } from '../../src/store/steps.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { directory, fifo, plant, symlinkTo } from '../support/plant.js';
import { exampleId } from '../support/version.js';

describe('readRefs', () => {
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
    expect([...readRefs(files, layout).branches]).toEqual([
      ['Zed', exampleId(0)],
      ['a.b-c_d', exampleId(1)],
      ['main', exampleId(2)],
    ]);
  });

  it('reads what the step `ref` writes', async () => {
    using place = temporaryDirectory();
    const layout = repository(place);
    plant(layout.branches, {});
    const path = layout.branch('main' as BranchName);
    await runStep(machine, { do: 'ref', path, id: exampleId(1) });
    expect([...readRefs(files, layout).branches]).toEqual([['main', exampleId(1)]]);
    await runStep(machine, { do: 'ref', path, id: null });
    expect([...readRefs(files, layout).branches]).toEqual([]);
  });

  it('finds none where there is no directory', () => {
    using place = temporaryDirectory();
    expect(readRefs(files, repository(place)).branches.size).toBe(0);
  });

  it.each([
    '',
    '\n',
    'main',
    `${exampleId(1)}x`,
    exampleId(1).slice(1),
    `${exampleId(1)}\n${exampleId(2)}\n`,
    '../../etc/pass',
  ])('calls a branch damaged that holds %j, names it, and reads the others', (content) => {
    using place = temporaryDirectory();
    const layout = repository(place);
    plant(layout.branches, { main: content, other: exampleId(1) });
    const { branches, unreadable } = readRefs(files, layout);
    expect([...branches]).toEqual([['other', exampleId(1)]]);
    expect([...unreadable]).toEqual([
      [
        'main',
        expect.objectContaining({ code: 'store-damaged', message: expect.stringContaining('/refs/heads/main') }),
      ],
    ]);
  });

  it.each([
    ['a directory', directory],
    ['a FIFO', fifo],
    ['a symbolic link', symlinkTo('nowhere')],
  ])('opens nothing that is %s in the place of a branch or a tag', (what, make) => {
    using place = temporaryDirectory();
    const layout = repository(place);
    plant(layout.branches, { main: make });
    plant(layout.tags, { good: make });
    const messages = [...readRefs(files, layout).unreadable.values()].map((error) => error.message);
    expect(messages).toEqual(
      ['heads/main', 'tags/good'].map((name) => expect.stringMatching(new RegExp(`refs/${name} is ${what}`))),
    );
  });
});

function repository(place: DisposablePath): RepositoryLayout {
  return new RepositoryLayout(place.path, 'mysql' as RepositoryName);
}
