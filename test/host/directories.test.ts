import { constants, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Directory, files, unlessGone } from '../../src/host/files.js';
import { isBound, libc } from '../../src/host/libc.js';
import type { BytePath } from '../../src/model/byte-path.js';
import type { EntryType } from '../../src/model/entry.js';
import { mountDisk } from '../support/disk.js';
import { makeNode } from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { directory, fifo, plant, symlinkTo, whiteout } from '../support/plant.js';

const node = (type: number) => (path: string) => makeNode(Buffer.from(path), type, { major: 7, minor: 3 });
const KINDS = {
  ...{ a: 'file', 'a directory': directory, fifo, link: symlinkTo('nowhere'), whiteout },
  ...{
    socket: node(constants.S_IFSOCK),
    block: node(constants.S_IFBLK),
    é: directory,
    '...': 'file',
    ['n'.repeat(255)]: 'file',
    eightchr: 'file',
  },
};
const TYPES: Record<string, EntryType> = {
  ...{ a: 'file', 'a directory': 'directory', fifo: 'fifo', link: 'symlink', whiteout: 'char', socket: 'socket' },
  ...{ block: 'block', 'Ã©': 'directory', '...': 'file', ['n'.repeat(255)]: 'file', eightchr: 'file' },
};

/** In this order: a binding that is loaded stays. */
describe.each(['by Node', 'by the binding'])('an open directory, read %s,', (by) => {
  const list = (opened: Directory) => {
    if (by === 'by the binding') libc();
    expect(isBound()).toBe(by === 'by the binding');
    return files.listTyped(opened.path);
  };

  it('tells what it holds, with the type of each, as often as it is asked', () => {
    using place = temporaryDirectory();
    using opened = open(plant(place.path, KINDS));
    expect(Object.fromEntries(list(opened))).toEqual(TYPES);
    writeFileSync(join(place.path, 'later'), '');
    expect(Object.fromEntries(list(opened))).toEqual({ ...TYPES, later: 'file' });
  });

  it('may hold more than one answer of the system has room for', () => {
    using place = temporaryDirectory();
    using opened = open(place.path);
    const names = Array.from({ length: 1000 }, (_, index) => `${index}-${'n'.repeat(index % 200)}` as BytePath);
    for (const name of names) writeFileSync(join(place.path, name), '');
    expect([...list(opened).keys()].sort()).toEqual(names.sort());
  });

  it('is the same by its path, which is no symbolic link', () => {
    using place = temporaryDirectory();
    using opened = open(plant(place.path, { ...KINDS, 'to itself': symlinkTo('.') }));
    expect(files.listTyped(place.path)).toEqual(list(opened));
    expect(() => files.listTyped(join(place.path, 'to itself'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    expect(() => files.listTyped(join(place.path, 'a'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  });

  it('may be empty, or gone', () => {
    using place = temporaryDirectory();
    const path = join(plant(place.path, { gone: directory }), 'gone');
    using opened = open(path);
    expect(list(opened)).toEqual(new Map());
    rmdirSync(path);
    expect(unlessGone<ReturnType<typeof list>>(new Map(), () => list(opened))).toEqual(new Map());
  });

  it('may lie on a file system that does not tell types', () => {
    using disk = mountDisk('ext4-untyped');
    using opened = open(plant(join(disk.path, 'held'), KINDS));
    expect(Object.fromEntries(list(opened))).toEqual(TYPES);
  });
});

function open(path: string): Directory {
  return files.openDirectory(path) as Directory;
}
