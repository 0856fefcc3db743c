import { lstatSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { files, type Stat } from '../../src/host/files.js';
import type { HostPath } from '../../src/host/libc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { device, directory, fifo, linkTo, plant, symlinkTo, whiteout } from '../support/plant.js';

const NAMES = [
  'char',
  'large',
  'directory',
  'fifo',
  'file',
  'linked',
  'link',
  'whiteout',
  'old',
  'holes',
  'two\nlines',
];

describe.each(['Node', 'the binding'])('stat by %s', (by) => {
  it('tells all that lstat(2) does', async () => {
    const stat = await statBy(by);
    using place = temporaryDirectory();
    fill(place.path);
    using open = files.openDirectory(place.path);
    for (const name of NAMES) {
      const path = join(place.path, name);
      expect(stat(path), name).toEqual(expected(path));
      expect(stat(`${open?.path}/${name}`), name).toEqual(expected(path));
      expect(stat(Buffer.from(path)), name).toEqual(expected(path));
    }
    expect(stat(`${open?.path}/directory/below`)).toEqual(expected(join(place.path, 'directory/below')));
    expect(stat(open?.path as string)).toEqual(expected(place.path));
  });

  it('finds nothing where nothing is, and throws where the system cannot say', async () => {
    const stat = await statBy(by);
    using place = temporaryDirectory();
    fill(place.path);
    expect(stat(join(place.path, 'missing'))).toBeUndefined();
    expect(() => stat(join(place.path, 'file/below'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    expect(() => stat(join(place.path, 'n'.repeat(256)))).toThrow(expect.objectContaining({ code: 'ENAMETOOLONG' }));
    symlinkSync('loop', join(place.path, 'loop'));
    expect(() => stat(join(place.path, 'loop/below'))).toThrow(expect.objectContaining({ code: 'ELOOP' }));
  });
});

/** A module of its own, whose binding is loaded or not. */
async function statBy(by: string): Promise<(path: HostPath) => Stat | undefined> {
  vi.resetModules();
  const { isBound } = await import('../../src/host/libc.js');
  if (by !== 'Node') (await import('../../src/host/xattrs.js')).listXattrs('/');
  expect(isBound()).toBe(by !== 'Node');
  return (await import('../../src/host/stat.js')).stat;
}

function fill(place: string): void {
  const [char, large, link] = [device(1, 3), device(300, 70_000), symlinkTo('/etc')];
  plant(place, {
    char,
    large,
    directory,
    fifo,
    file: 'content',
    linked: linkTo('file'),
    link,
    whiteout,
    'two\nlines': '',
  });
  mkdirSync(join(place, 'directory/below'), { mode: 0o1777 });
  writeFileSync(join(place, 'old'), 'before the epoch');
  utimesSync(join(place, 'old'), -1.5, -1.5);
  writeFileSync(join(place, 'holes'), '');
  truncateSync(join(place, 'holes'), 2 ** 40);
}

function expected(path: string): Stat {
  const stats = lstatSync(path, { bigint: true });
  const types = {
    file: 'isFile',
    directory: 'isDirectory',
    symlink: 'isSymbolicLink',
    fifo: 'isFIFO',
    char: 'isCharacterDevice',
  } as const;
  const [type] = Object.entries(types).find(([, is]) => stats[is]()) ?? [];
  return {
    type: type as Stat['type'],
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    device: stats.dev,
    inode: stats.ino,
    links: Number(stats.nlink),
    allocated: Number(stats.blocks) * 512,
    rawDevice: stats.rdev,
  };
}
