import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRepositoryName, isVersionId } from '../../src/model/names.js';
import type { BranchName, ContainerName, Layer, RepositoryName, VersionId } from '../../src/model/version.js';
import { parseUpper, RepositoryLayout, storeFile, storeRoot } from '../../src/store/layout.js';
import { ContainerLayout } from '../../src/store/lxc-layout.js';

const ROOT = '/var/lib/lxcv';
const ID = 'abcdefghijkl' as VersionId;
const MYSQL = new RepositoryLayout(ROOT, 'mysql' as RepositoryName);

describe('the layout', () => {
  it('puts the store beside the containers', () => {
    const links = new Map([['/containers', '/var/lib/lxc']]);
    const files = { realPath: (path: string) => links.get(path) };
    expect(storeRoot(files, '/var/lib/lxc')).toBe(ROOT);
    expect(storeRoot(files, '/containers')).toBe(ROOT);
    expect(storeFile(ROOT)).toBe('/var/lib/lxcv/store.json');
  });

  it('names every file of a repository', () => {
    const { lock, operations, versions, branches, guards, empty } = MYSQL;
    expect({ lock, operations, versions, branches, guards, empty }).toEqual({
      lock: '/var/lib/lxcv/mysql/lock',
      operations: '/var/lib/lxcv/mysql/operations',
      versions: '/var/lib/lxcv/mysql/versions',
      branches: '/var/lib/lxcv/mysql/refs/heads',
      guards: '/var/lib/lxcv/mysql/containers',
      empty: '/var/lib/lxcv/mysql/empty',
    });
    expect(MYSQL.branch('main' as BranchName)).toBe('/var/lib/lxcv/mysql/refs/heads/main');
    expect(MYSQL.guard('mysql_tmp' as ContainerName)).toBe('/var/lib/lxcv/mysql/containers/mysql_tmp');
  });

  it('names every file of a version, and its layers as a manifest does', () => {
    const version = MYSQL.version(ID);
    const { manifest, stagedManifest, working, config, files, delta, work } = version;
    const inside = (name: string) => `/var/lib/lxcv/mysql/versions/abcdefghijkl/${name}`;
    expect({ manifest, stagedManifest, working, config, files, delta, work }).toEqual({
      manifest: inside('manifest.json'),
      stagedManifest: inside('manifest.staged'),
      working: inside('working.json'),
      config: inside('config'),
      files: inside('files'),
      delta: inside('delta'),
      work: inside('work'),
    });
    expect(MYSQL.layer(version.deltaLayer)).toBe(version.delta);
    expect(MYSQL.layer(version.keyframeLayer(3))).toBe(version.keyframe(3));
    expect(version.keyframeLayer(3)).toBe('versions/abcdefghijkl/keyframe-3' as Layer);
  });

  it('names the files of a container', () => {
    const { root, config, stagedConfig, clones } = new ContainerLayout('/var/lib/lxc', 'mysql' as ContainerName);
    expect({ root, config, stagedConfig, clones }).toEqual({
      root: '/var/lib/lxc/mysql',
      config: '/var/lib/lxc/mysql/config',
      stagedConfig: '/var/lib/lxc/mysql/.config.lxcv',
      clones: '/var/lib/lxc/mysql/lxc_snapshots',
    });
  });
});

describe('parseUpper', () => {
  it('reads back the upper directory of every working delta', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/).filter(isRepositoryName);
    const id = fc.stringMatching(/^[a-z][a-z0-9]{11}$/).filter(isVersionId);
    fc.assert(
      fc.property(name, id, (repository, id) => {
        const upper = new RepositoryLayout(ROOT, repository).version(id).delta;
        expect(parseUpper(ROOT, upper)).toEqual({ repository, id });
      }),
    );
  });

  it.each([
    '',
    '/',
    ROOT,
    `${ROOT}/`,
    `${ROOT}/mysql`,
    `${ROOT}/mysql/versions/abcdefghijkl`,
    `${ROOT}/mysql/versions/abcdefghijkl/`,
    `${ROOT}/mysql/versions/abcdefghijkl/keyframe-1`,
    `${ROOT}/mysql/versions/abcdefghijkl/work`,
    `${ROOT}/mysql/versions/abcdefghijkl/delta/`,
    `${ROOT}/mysql/versions/abcdefghijkl/delta/etc`,
    `${ROOT}/mysql/versions/abcdefghijkl/../delta`,
    `${ROOT}/mysql/versions/../delta`,
    `${ROOT}/mysql/versions/ABCDEFGHIJKL/delta`,
    `${ROOT}/mysql/versions/abcdefghijk/delta`,
    `${ROOT}/mysql/refs/abcdefghijkl/delta`,
    `${ROOT}//versions/abcdefghijkl/delta`,
    `${ROOT}/../versions/abcdefghijkl/delta`,
    `${ROOT}/.hidden/versions/abcdefghijkl/delta`,
    `${ROOT}//mysql/versions/abcdefghijkl/delta`,
    `${ROOT}v/mysql/versions/abcdefghijkl/delta`,
    `/elsewhere${ROOT}/mysql/versions/abcdefghijkl/delta`,
    'var/lib/lxcv/mysql/versions/abcdefghijkl/delta',
  ])('knows no place in the store for %s', (upper) => {
    expect(parseUpper(ROOT, upper)).toBeUndefined();
  });
});
