import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machine } from '../../src/host/host.js';
import type { ContainerName, RepositoryName } from '../../src/model/version.js';
import { listContainers, lowersOf, readContainer } from '../../src/store/containers.js';
import { RepositoryLayout } from '../../src/store/layout.js';
import { encodeWorking, type Working } from '../../src/store/working.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { directory, plant, symlinkTo } from '../support/plant.js';
import { exampleId } from '../support/version.js';

const C = 'mysql' as ContainerName;
const WORKING = {
  container: C,
  branch: 'main',
  parents: [exampleId(1)],
  lowers: [`versions/${exampleId(1)}/delta`, `versions/${exampleId(0)}/delta`],
  bases: [{ path: '/var/lib/lxc/base/rootfs', fingerprint: 'sha256:00' }],
} as unknown as Working;

describe('listContainers', () => {
  it('lists what has a config, by name', () => {
    using place = temporaryDirectory();
    plant(place.path, {
      'b/config': '',
      'a.2/config': '',
      'no-config/rootfs': directory,
      '.hidden/config': '',
      'with blank/config': '',
      'config-is-a-directory/config': directory,
      file: '',
    });
    expect(listContainers(machine, place.path)).toEqual(['a.2', 'b']);
  });

  it('lists none where there is no lxcpath', () => {
    expect(listContainers(machine, '/nowhere/lxc')).toEqual([]);
  });
});

describe('readContainer', () => {
  it('has none where there is no config', () => {
    using place = temporaryDirectory();
    plant(place.path, { 'mysql/rootfs': directory });
    expect(readContainer(machine, place.path, C)).toBeUndefined();
    expect(readContainer(machine, place.path, 'missing' as ContainerName)).toBeUndefined();
  });

  it('reads a container that lxcv does not version', () => {
    using place = temporaryDirectory();
    const text = '# mine\nlxc.rootfs.path = overlay:/lower:/upper\nlxc.rootfs.options = noatime\n\xff\n';
    plant(join(place.path, 'mysql'), {});
    writeFileSync(join(place.path, 'mysql/config'), text, 'latin1');
    const container = readContainer(machine, place.path, C);
    expect(container).toMatchObject({
      name: C,
      rootfs: { kind: 'overlay', lowers: ['/lower'], upper: '/upper' },
      options: 'noatime',
      versioned: undefined,
      lost: undefined,
    });
    expect(container?.configBytes.toString('latin1')).toBe(text);
    expect(container?.layout.root).toBe(join(place.path, 'mysql'));
  });

  it('has no options and another root file system where the config says nothing', () => {
    using place = temporaryDirectory();
    plant(place.path, { 'mysql/config': '' });
    expect(readContainer(machine, place.path, C)).toMatchObject({ rootfs: { kind: 'other' }, options: undefined });
  });

  it('takes the last of several values, from what is included too', () => {
    using place = temporaryDirectory();
    plant(place.path, {
      'included.conf': 'lxc.rootfs.path = dir:/included\nlxc.rootfs.options = a\n',
      'conf.d/2.conf': 'lxc.rootfs.path = dir:/second\n',
      'conf.d/1.conf': 'lxc.rootfs.path = dir:/first\n',
      'conf.d/3.other': 'lxc.rootfs.path = dir:/not-included\n',
      'conf.d/4.conf/5.conf': 'lxc.rootfs.path = dir:/not-included\n',
      'conf.d/6.conf': symlinkTo('.'),
      linked: symlinkTo('included.conf'),
    });
    const path = (...lines: string[]) => {
      plant(place.path, { 'mysql/config': lines.join('\n').replaceAll('AT', place.path) });
      return readContainer(machine, place.path, C)?.rootfs;
    };
    expect(path('lxc.rootfs.path = dir:/own', 'lxc.include = AT/included.conf')).toEqual(plain('/included'));
    expect(path('lxc.include = AT/included.conf', 'lxc.rootfs.path = dir:/own')).toEqual(plain('/own'));
    expect(path('lxc.include = AT/conf.d')).toEqual(plain('/second'));
    expect(path('lxc.include = AT/linked')).toEqual(plain('/included'));
    expect(path('lxc.rootfs.path = dir:/own', 'lxc.include = AT/missing')).toEqual(plain('/own'));
  });

  it('finds the working delta of a versioned container', () => {
    using place = temporaryDirectory();
    const { lxcpath, repository, layout } = versioned(place, WORKING);
    const container = readContainer(machine, lxcpath, C);
    expect(container?.versioned).toMatchObject({ working: WORKING, layout: { root: layout.root, id: exampleId(2) } });
    expect(container?.versioned?.repository.root).toBe(repository.root);
    expect(container?.lost).toBeUndefined();
  });

  it('tells where the record of the working delta is lost, or is that of another container', () => {
    using place = temporaryDirectory();
    const { lxcpath, layout } = versioned(place, { ...WORKING, container: 'other' as ContainerName });
    const other = readContainer(machine, lxcpath, C);
    expect([other?.versioned, other?.lost?.root]).toEqual([undefined, layout.root]);
    machine.files.unlink(layout.working);
    const lost = readContainer(machine, lxcpath, C);
    expect([lost?.versioned, lost?.lost?.root]).toEqual([undefined, layout.root]);
  });

  it('refuses a record that is not whole', () => {
    using place = temporaryDirectory();
    const { lxcpath, layout } = versioned(place, WORKING);
    writeFileSync(layout.working, '{"format": 1}');
    expect(() => readContainer(machine, lxcpath, C)).toThrow(expect.objectContaining({ code: 'store-damaged' }));
  });

  it('does not take a delta in another store for one of its own', () => {
    using place = temporaryDirectory();
    const { lxcpath, layout } = versioned(place, WORKING);
    plant(join(place.path, 'elsewhere'), { 'mysql/config': `lxc.rootfs.path = overlay:/lower:${layout.delta}\n` });
    const container = readContainer(machine, join(place.path, 'elsewhere'), C);
    expect([container?.versioned, container?.lost]).toEqual([undefined, undefined]);
    expect(readContainer(machine, lxcpath, C)?.versioned).toBeDefined();
  });
});

describe('lowersOf', () => {
  it('names layers, then bases, and the guard last', () => {
    const repository = new RepositoryLayout('/var/lib/lxcv', 'mysql' as RepositoryName);
    expect(lowersOf(repository, 'tmp' as ContainerName, WORKING)).toEqual([
      `/var/lib/lxcv/mysql/versions/${exampleId(1)}/delta`,
      `/var/lib/lxcv/mysql/versions/${exampleId(0)}/delta`,
      '/var/lib/lxc/base/rootfs',
      '/var/lib/lxcv/mysql/containers/tmp',
    ]);
  });
});

/** A container on a working delta with this record. */
function versioned(place: DisposablePath, working: Working) {
  const lxcpath = join(place.path, 'lxc');
  const repository = new RepositoryLayout(`${lxcpath}v`, 'mysql' as RepositoryName);
  const layout = repository.version(exampleId(2));
  plant(join(lxcpath, C), { config: `lxc.rootfs.path = overlay:/lower:${layout.delta}\n` });
  mkdirSync(dirname(layout.working), { recursive: true });
  writeFileSync(layout.working, encodeWorking(working));
  return { lxcpath, repository, layout };
}

function plain(path: string) {
  return { kind: 'directory', path };
}
