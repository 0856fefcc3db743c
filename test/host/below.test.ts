import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { openPath } from '../../src/host/native.js';
import { getXattr, listXattrs } from '../../src/host/xattrs.js';
import { forgetSystemCalls } from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { plant } from '../support/plant.js';

const [SYS_GETXATTRAT, SYS_LISTXATTRAT] = [464, 465];
/** Together more than the room that is offered first. */
const LONG_NAMES = Array.from({ length: 4 }, (_, index) => `user.${index}${'n'.repeat(200)}`);

/** In this order: what a kernel does not know it does not learn again. */
describe.each(['a new kernel', 'one older than Linux 6.13'])('what lies below an open directory, on %s', (kernel) => {
  beforeAll(() => {
    if (kernel !== 'a new kernel') forgetSystemCalls(SYS_GETXATTRAT, SYS_LISTXATTRAT);
  });

  it('has extended attributes', () => {
    using place = fill();
    using directory = openDirectory(place.path);
    expect(listXattrs(`${directory.path}/file`)).toEqual(['user.own']);
    expect(getXattr(`${directory.path}/file`, 'user.own')?.toString()).toBe('value');
    expect(listXattrs(directory.path)).toEqual(['user.directory']);
    expect(getXattr(directory.path, 'user.directory')?.toString()).toBe('d');
    expect(listXattrs(`${directory.path}/plain`)).toEqual([]);
    expect(getXattr(`${directory.path}/plain`, 'user.own')).toBeUndefined();
    expect(listXattrs(`${directory.path}/link`)).toEqual(['trusted.link']);
  });

  it('has as many, and as large ones, as a file can have', () => {
    using place = temporaryDirectory();
    plant(place.path, { file: '' });
    const path = join(place.path, 'file');
    for (const name of LONG_NAMES) files.setXattr(path, name, Buffer.alloc(500, 'v'));
    using directory = openDirectory(place.path);
    expect(listXattrs(`${directory.path}/file`).sort()).toEqual(LONG_NAMES);
    files.removeXattr(path, LONG_NAMES[1] as string);
    files.setXattr(path, LONG_NAMES[0] as string, Buffer.alloc(2000, 'w'));
    expect(getXattr(`${directory.path}/file`, LONG_NAMES[0] as string)?.toString()).toBe('w'.repeat(2000));
  });

  it('may be missing', () => {
    using place = fill();
    using directory = openDirectory(place.path);
    const missing = `${directory.path}/missing`;
    expect(() => listXattrs(missing)).toThrow(expect.objectContaining({ code: 'ENOENT', syscall: 'llistxattr' }));
    expect(() => getXattr(missing, 'user.a')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => files.openFile(missing)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(files.openDirectory(missing)).toBeUndefined();
  });
});

describe('a directory below an open one', () => {
  it('is opened, and a link to one is not', () => {
    using place = fill();
    using directory = openDirectory(place.path);
    using below = files.openDirectory(`${directory.path}/below`);
    expect(files.list((below as { path: string }).path)).toEqual(['inside']);
    expect(files.openDirectory(`${directory.path}/link`)).toBeUndefined();
    expect(files.openDirectory(`${directory.path}/file`)).toBeUndefined();
    using itself = files.openDirectory(directory.path);
    expect(files.list((itself as { path: string }).path).sort()).toEqual(['below', 'file', 'link', 'plain']);
  });

  it('is not inherited by programs that are started', () => {
    using place = fill();
    using directory = openDirectory(place.path);
    const fd = openPath(`${directory.path}/file`, 0, 0);
    const flags = files
      .read(`/proc/self/fdinfo/${fd}`)
      .toString()
      .match(/^flags:\s+(\d+)$/m)?.[1];
    expect(Number.parseInt(flags ?? '', 8) & 0o2000000).toBe(0o2000000);
  });
});

function fill(): ReturnType<typeof temporaryDirectory> {
  const place = temporaryDirectory();
  plant(place.path, { file: 'content', plain: '' });
  mkdirSync(join(place.path, 'below/inside'), { recursive: true });
  symlinkSync('below', join(place.path, 'link'));
  files.setXattr(join(place.path, 'file'), 'user.own', Buffer.from('value'));
  files.setXattr(place.path, 'user.directory', Buffer.from('d'));
  files.setXattr(join(place.path, 'link'), 'trusted.link', Buffer.from('y'));
  return place;
}

function openDirectory(path: string): { path: string; [Symbol.dispose](): void } {
  const directory = files.openDirectory(path);
  if (directory === undefined) throw new Error(`${path} is no directory`);
  return directory;
}
