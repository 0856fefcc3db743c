import { mkdirSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import type { MountEntry } from '../../src/host/mount-table.js';
import { withoutRemote } from '../../src/host/remote.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';

describe('withoutRemote', () => {
  let directory: DisposablePath;
  beforeEach(() => {
    directory = temporaryDirectory();
    for (const path of ['local', 'sshfs/inner', 'auto/disk', 'covered/nfs']) {
      mkdirSync(at(path), { recursive: true });
    }
    symlinkSync('../sshfs/inner', at('local/relative'));
    symlinkSync(at('local/relative/..'), at('local/twice'));
    symlinkSync('loop', at('loop'));
  });
  afterEach(() => directory[Symbol.dispose]());

  const at = (path: string) => `${directory.path}/${path}`;
  const mount = (id: number, parent: number, place: string, type: string): MountEntry => {
    return { id, parent, place, type, device: `0:${id}`, root: '/', options: '' };
  };
  const table = () => [
    mount(1, 0, '/', 'ext4'),
    mount(2, 1, at('sshfs'), 'fuse.sshfs'),
    mount(3, 1, at('auto'), 'autofs'),
    mount(4, 3, at('auto'), 'xfs'),
    mount(5, 1, at('covered/nfs'), 'nfs4'),
    mount(6, 1, at('covered'), 'ext4'),
  ];
  const outcomes = (answering: string[], paths: readonly string[]) => {
    const local = withoutRemote(files, table(), answering.map(at));
    const look = (act: () => unknown) => {
      try {
        return act() === undefined ? 'nothing' : 'something';
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    return paths.map((path) => {
      const [stat, real] = [look(() => local.statTarget(at(path))), look(() => local.realPath(at(path)))];
      return [path, stat === real ? stat : [stat, real]];
    });
  };

  it('looks at nothing behind a server, by whatever way a path leads there', () => {
    const remote = ['sshfs', 'sshfs/inner/x', 'local/../sshfs', './/sshfs/', 'local/relative', 'local/twice/inner'];
    expect(outcomes([], remote)).toEqual(remote.map((path) => [path, 'EREMOTE']));
  });

  it('looks at all else: where another mount hides the remote one, and at what is not there', () => {
    const local = ['', 'local', 'auto/disk', 'covered/nfs'];
    expect(outcomes([], local)).toEqual(local.map((path) => [path, 'something']));
    const none = ['sshfsx', 'none/../sshfs', 'loop', 'loop/x'];
    expect(outcomes([], none)).toEqual(none.map((path) => [path, 'nothing']));
  });

  it('looks at what lies on a file system that has answered', () => {
    const paths = ['sshfs/inner', 'local/relative'];
    expect(outcomes(['local/twice'], paths)).toEqual(paths.map((path) => [path, 'something']));
  });
});
