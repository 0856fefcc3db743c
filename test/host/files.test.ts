import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childPath, files, isErrno } from '../../src/host/files.js';
import type { BytePath } from '../../src/model/byte-path.js';
import * as libc from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { device, directory, fifo, linkTo, plant, symlinkTo, whiteout } from '../support/plant.js';

const MIB = 1 << 20;

describe('files.stat', () => {
  it('tells types, as lstat(2) does', () => {
    using place = temporaryDirectory();
    const link = symlinkTo('/etc');
    plant(place.path, { char: device(1, 3), directory, fifo, file: 'content', linked: linkTo('file'), link, whiteout });
    const stat = (name: string) => files.stat(join(place.path, name));
    expect(stat('char')).toMatchObject({ type: 'char', rawDevice: 0x103n });
    expect(stat('directory')).toMatchObject({ type: 'directory' });
    expect(stat('fifo')).toMatchObject({ type: 'fifo', mode: 0o600 });
    expect(stat('file')).toMatchObject({ type: 'file', size: 7, links: 2, mtimeNs: 1_600_000_000_000_000_001n });
    expect(stat('link')).toMatchObject({ type: 'symlink', size: 4 });
    expect(stat('whiteout')).toMatchObject({ type: 'char', rawDevice: 0n });
    expect(stat('linked')?.inode).toBe(stat('file')?.inode);
    expect(stat('file')?.device).toBe(statSync(place.path, { bigint: true }).dev);
  });

  it('keeps all twelve permission bits, and owners that are not signed', () => {
    using place = temporaryDirectory();
    plant(place.path, { file: '' });
    files.chown(join(place.path, 'file'), 4_294_967_294, 100_000);
    files.chmod(join(place.path, 'file'), 0o7777);
    expect(files.stat(join(place.path, 'file'))).toMatchObject({ mode: 0o7777, uid: 4_294_967_294, gid: 100_000 });
  });

  it('gives nothing for what is not there, and throws where the system cannot say', () => {
    using place = temporaryDirectory();
    plant(place.path, { file: '' });
    expect(files.stat(join(place.path, 'missing'))).toBeUndefined();
    expect(files.stat(join(place.path, 'file/below'))).toBeUndefined();
    expect(() => files.stat(join(place.path, 'n'.repeat(256)))).toThrow(code('ENAMETOOLONG'));
  });
});

describe('files.listTyped', () => {
  it('tells names, and the type of each', () => {
    using place = temporaryDirectory();
    const link = symlinkTo('/etc');
    plant(place.path, { b: directory, a: 'file', '\u00e9': directory, '\xff\n': fifo, link, whiteout, Z: directory });
    const listed = files.listTyped(place.path);
    expect([...listed.keys()].sort()).toEqual(files.list(place.path).sort());
    for (const [name, type] of listed) {
      expect([name, type]).toEqual([name, files.stat(childPath(place.path, name))?.type]);
    }
  });
});

describe('files.statTarget', () => {
  it('follows a symbolic link', () => {
    using place = temporaryDirectory();
    plant(place.path, { directory, link: symlinkTo('directory'), dangling: symlinkTo('nowhere') });
    expect(files.statTarget(join(place.path, 'link'))?.type).toBe('directory');
    expect(files.statTarget(join(place.path, 'dangling'))).toBeUndefined();
  });
});

describe('files.read and its kind', () => {
  it('read a file whole, or its end', () => {
    using place = temporaryDirectory();
    const path = join(plant(place.path, { file: '0123456789', empty: '' }), 'file');
    expect(files.read(path).toString()).toBe('0123456789');
    expect(files.readIfPresent(path)?.toString()).toBe('0123456789');
    expect(files.readEnd(path, 3).toString()).toBe('789');
    expect(files.readEnd(path, 10).toString()).toBe('0123456789');
    expect(files.readEnd(path, 4096).toString()).toBe('0123456789');
    expect(files.readEnd(join(place.path, 'empty'), 4096)).toHaveLength(0);
  });

  it('follow no symbolic link', () => {
    using place = temporaryDirectory();
    const link = join(plant(place.path, { file: 'content', link: symlinkTo('file') }), 'link');
    expect(() => files.read(link)).toThrow(code('ELOOP'));
    expect(() => files.readEnd(link, 10)).toThrow(code('ELOOP'));
    expect(files.readLink(link).toString()).toBe('file');
  });

  it('tell what is missing', () => {
    using place = temporaryDirectory();
    const missing = join(place.path, 'missing');
    expect(files.readIfPresent(missing)).toBeUndefined();
    expect(files.readIfPresent(join(missing, 'below'))).toBeUndefined();
    expect(() => files.read(missing)).toThrow(code('ENOENT'));
    expect(() => files.readEnd(missing, 1)).toThrow(code('ENOENT'));
    expect(() => files.readLink(missing)).toThrow(code('ENOENT'));
    expect(() => files.list(missing)).toThrow(code('ENOENT'));
  });
});

describe('files.list', () => {
  it('gives names as bytes, by which they can be reached', () => {
    using place = temporaryDirectory();
    const names = ['\xff\xfe', 'line\nbreak', '\xc3\xbc', '.hidden', '...', ' '];
    for (const name of names) writeFileSync(Buffer.from(`${place.path}/${name}`, 'latin1'), name);
    expect(files.list(place.path).sort()).toEqual([...names].sort());
    for (const name of files.list(place.path)) {
      expect(files.read(childPath(place.path, name)).toString('utf8')).toBe(name);
    }
  });
});

describe('files.openDirectory', () => {
  it('reaches the directory whatever happens to its name', () => {
    using place = temporaryDirectory();
    plant(place.path, { 'directory/inside': 'content' });
    using opened = files.openDirectory(join(place.path, 'directory'));
    renameSync(join(place.path, 'directory'), join(place.path, 'moved'));
    symlinkSync('/etc', join(place.path, 'directory'));
    expect(files.list(opened?.path as string)).toEqual(['inside']);
    expect(files.stat(opened?.path as string)).toMatchObject({ type: 'directory' });
    expect(files.read(childPath(opened?.path as string, 'inside' as BytePath)).toString()).toBe('content');
  });

  it('opens no symbolic link, nothing that is no directory, and nothing that is not there', () => {
    using place = temporaryDirectory();
    plant(place.path, { directory, fifo, file: '', link: symlinkTo('directory') });
    const before = openFiles();
    for (const name of ['link', 'file', 'fifo', 'missing', 'file/below']) {
      expect(files.openDirectory(join(place.path, name)), name).toBeUndefined();
    }
    expect(openFiles()).toBe(before);
  });

  it('is closed at disposal', () => {
    const before = openFiles();
    {
      using _ = files.openDirectory('/');
      expect(openFiles()).toBe(before + 1);
    }
    expect(openFiles()).toBe(before);
  });
});

describe('files.sameContent', () => {
  const large = Buffer.alloc(2 * MIB + 5, 'content');
  const changed = (at: number) => Buffer.from(large).fill('!', at, at + 1);

  it.each<[string, boolean, string | Buffer, string | Buffer]>([
    ['nothing', true, '', ''],
    ['a text', true, 'same', 'same'],
    ['another text', false, 'same', 'Same'],
    ['more', false, 'same', 'same and more'],
    ['something', false, '', 'something'],
    ['mebibytes', true, large, Buffer.from(large)],
    ['another last byte', false, large, changed(large.length - 1)],
    ['another byte at a mebibyte', false, large, changed(MIB)],
    ['a mebibyte less', false, large, large.subarray(0, MIB + 5)],
    ['two mebibytes of the three', false, Buffer.alloc(3 * MIB), Buffer.alloc(2 * MIB)],
  ])('compares %s: %s', (_, same, a, b) => {
    using place = temporaryDirectory();
    const [one, other] = [join(place.path, 'one'), join(place.path, 'other')];
    writeFileSync(one, a);
    writeFileSync(other, b);
    expect(files.sameContent(one, other)).toBe(same);
    expect(files.sameContent(other, one)).toBe(same);
  });

  it('refuses what is no regular file, and waits for no one to write to a fifo', () => {
    using place = temporaryDirectory();
    const at = (name: string) => join(place.path, name);
    plant(place.path, { directory, fifo, file: '', link: symlinkTo('file'), null: device(1, 3), whiteout });
    const before = openFiles();
    for (const name of ['fifo', 'directory', 'null', 'link', 'whiteout']) {
      expect(() => files.sameContent(at('file'), at(name)), name).toThrow(code('ESTALE'));
      expect(() => files.sameContent(at(name), at('file')), name).toThrow(code('ESTALE'));
    }
    expect(() => files.sameContent(at('missing'), at('file'))).toThrow(code('ENOENT'));
    expect(openFiles()).toBe(before);
  });
});

describe('files.read', () => {
  it('ends: of a device or a FIFO it reads nothing', () => {
    using place = temporaryDirectory();
    plant(place.path, { fifo, zero: device(1, 5) });
    for (const name of ['fifo', 'zero']) expect(() => files.read(join(place.path, name))).toThrow(code('ESTALE'));
  });
});

describe('files.copyContent', () => {
  it('copies any content, and takes no more room than the original', () => {
    const segment = fc.record({
      hole: fc.nat({ max: 200_000 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 9000 }),
    });
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), fc.nat({ max: 200_000 }), (segments, end) => {
        using place = temporaryDirectory();
        const [from, to] = [join(place.path, 'from'), join(place.path, 'to')];
        writeSegments(from, segments, end);
        files.copyContent(from, to);
        expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
        expect(blocks(to)).toBeLessThanOrEqual(blocks(from));
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ['a hole and nothing else', 64 * MIB, [], 0],
    ['data, a hole and data', 64 * MIB, [0, 32 * MIB], 8],
    ['data at the end of a hole', 64 * MIB, [64 * MIB - 1], 4],
    ['more data than fits in memory at once', 5 * MIB, Array.from({ length: 5 * 256 }, (_, i) => i * 4096), 5120],
  ])('keeps %s', (_, size, offsets, kib) => {
    using place = temporaryDirectory();
    const [from, to] = [join(place.path, 'from'), join(place.path, 'to')];
    const fd = openSync(from, 'w');
    for (const offset of offsets) writeSync(fd, 'x', offset);
    ftruncateSync(fd, size);
    closeSync(fd);
    files.copyContent(from, to);
    execFileSync('cmp', [from, to]);
    expect(statSync(to).size).toBe(size);
    expect(blocks(to)).toBe(blocks(from));
    expect(blocks(to) / 2).toBe(kib);
  });

  it('refuses to write where something is, and to read what is no regular file', () => {
    using place = temporaryDirectory();
    const at = (name: string) => join(place.path, name);
    plant(place.path, { fifo, file: 'content', link: symlinkTo('file'), dangling: symlinkTo('target'), taken: 'kept' });
    const before = openFiles();
    expect(() => files.copyContent(at('file'), at('taken'))).toThrow(code('EEXIST'));
    expect(() => files.copyContent(at('file'), at('dangling'))).toThrow(code('EEXIST'));
    expect(() => files.copyContent(at('link'), at('new'))).toThrow(code('ESTALE'));
    expect(() => files.copyContent(at('fifo'), at('new'))).toThrow(code('ESTALE'));
    expect(readFileSync(at('taken'), 'utf8')).toBe('kept');
    expect(readdirSync(place.path)).not.toContain('target');
    expect(openFiles()).toBe(before);
  });
});

describe('files.create and files.append', () => {
  it('write all that they are given', () => {
    using place = temporaryDirectory();
    const path = join(place.path, 'file');
    files.create(path, Buffer.from([0, 255]), 0o640);
    files.append(path, 'ü');
    expect(readFileSync(path)).toEqual(Buffer.from([0, 255, 0xc3, 0xbc]));
    expect(statSync(path).mode & 0o7777).toBe(0o640);
    files.append(join(place.path, 'log'), 'line\n');
    expect(statSync(join(place.path, 'log')).mode & 0o7777).toBe(0o600);
  });

  it('follow no symbolic link, and create only what is new', () => {
    using place = temporaryDirectory();
    const at = (name: string) => join(place.path, name);
    plant(place.path, { file: 'kept', link: symlinkTo('file'), dangling: symlinkTo('target') });
    expect(() => files.create(at('file'), 'new', 0o600)).toThrow(code('EEXIST'));
    expect(() => files.create(at('dangling'), 'new', 0o600)).toThrow(code('EEXIST'));
    expect(() => files.append(at('link'), 'more')).toThrow(code('ELOOP'));
    expect(() => files.append(at('dangling'), 'more')).toThrow(code('ELOOP'));
    expect(() => files.truncate(at('link'), 0)).toThrow(code('ELOOP'));
    expect(() => files.create(at('missing/file'), '', 0o600)).toThrow(code('ENOENT'));
    expect([readdirSync(place.path).length, readFileSync(at('file'), 'utf8')]).toEqual([3, 'kept']);
  });
});

describe('each change', () => {
  it('does what its system call does', () => {
    using place = temporaryDirectory();
    const at = (name: string) => join(place.path, name);
    files.mkdir(at('directory'), 0o750);
    files.create(at('file'), 'content', 0o600);
    files.truncate(at('file'), 4);
    files.link(at('file'), at('linked'));
    files.symlink(Buffer.from('/\xff', 'latin1'), at('link'));
    files.link(at('link'), at('same-link'));
    files.rename(at('linked'), at('renamed'));
    files.renameNew(at('renamed'), at('directory/moved'));
    files.exchange(at('directory'), at('link'));
    files.makeNode(at('socket'), { type: 'socket', rawDevice: 0n });
    files.setXattr(at('file'), 'user.\xe9', Buffer.from('value'));
    files.setMtime(at('file'), 1n);
    files.chown(at('same-link'), 5, 6);
    expect(files.list(place.path).sort()).toEqual(['directory', 'file', 'link', 'same-link', 'socket']);
    expect(readlinkSync(at('directory'), 'latin1')).toBe('/\xff');
    expect(lstatSync(at('same-link'))).toMatchObject({ ino: lstatSync(at('directory')).ino, uid: 5, gid: 6 });
    expect(readFileSync(at('link/moved'), 'utf8')).toBe('cont');
    expect(lstatSync(at('link')).mode & 0o7777).toBe(0o750);
    expect(lstatSync(at('file'), { bigint: true })).toMatchObject({ mtimeNs: 1n, nlink: 2n });
    expect([files.xattrNames(at('file')), files.xattr(at('file'), 'user.\xe9')?.toString()]).toEqual([
      ['user.\xe9'],
      'value',
    ]);
    expect(libc.getXattr(Buffer.from(at('file')), 'user.\xe9').toString()).toBe('value');
    files.unlink(at('link/moved'));
    files.rmdir(at('link'));
    expect(files.list(place.path).sort()).toEqual(['directory', 'file', 'same-link', 'socket']);
    files.sync(at('file'));
    files.sync(place.path);
    files.syncFileSystem(place.path);
  });

  it.each<[string, string, (at: (name: string) => string) => void]>([
    ['mkdir', 'EEXIST', (at) => files.mkdir(at('file'), 0o700)],
    ['rmdir', 'ENOTEMPTY', (at) => files.rmdir(at('full'))],
    ['rmdir', 'ENOTDIR', (at) => files.rmdir(at('file'))],
    ['rmdir', 'ENOENT', (at) => files.rmdir(at('missing'))],
    ['unlink', 'ENOENT', (at) => files.unlink(at('missing'))],
    ['unlink', 'EISDIR', (at) => files.unlink(at('full'))],
    ['rename', 'ENOTEMPTY', (at) => files.rename(at('empty'), at('full'))],
    ['rename', 'EISDIR', (at) => files.rename(at('file'), at('full'))],
    ['renameNew', 'EEXIST', (at) => files.renameNew(at('file'), at('empty'))],
    ['exchange', 'ENOENT', (at) => files.exchange(at('file'), at('missing'))],
    ['link', 'EEXIST', (at) => files.link(at('file'), at('empty'))],
    ['link', 'EPERM', (at) => files.link(at('full'), at('new'))],
    ['link', 'EXDEV', (at) => files.link('/proc/self/status', at('new'))],
    ['symlink', 'EEXIST', (at) => files.symlink('target', at('file'))],
    ['makeNode', 'EEXIST', (at) => files.makeNode(at('file'), { type: 'fifo', rawDevice: 0n })],
    ['chmod', 'ENOENT', (at) => files.chmod(at('missing'), 0o600)],
    ['chown', 'ENOENT', (at) => files.chown(at('missing'), 0, 0)],
    ['setMtime', 'ENOENT', (at) => files.setMtime(at('missing'), 0n)],
    ['setXattr', 'ENOTSUP', (at) => files.setXattr(at('file'), 'nonsense.a', Buffer.alloc(0))],
    ['sync', 'ENOENT', (at) => files.sync(at('missing'))],
    ['syncFileSystem', 'ELOOP', (at) => files.syncFileSystem(at('link'))],
    ['truncate', 'ENOENT', (at) => files.truncate(at('missing'), 0)],
  ])('%s fails with %s, and changes nothing', (_, expected, change) => {
    using place = temporaryDirectory();
    plant(place.path, { 'full/inside': '', empty: directory, file: '', link: symlinkTo('file') });
    const before = files.list(place.path).sort();
    expect(() => change((name) => join(place.path, name))).toThrow(code(expected));
    expect(files.list(place.path).sort()).toEqual(before);
  });
});

describe('isErrno', () => {
  it('knows an error of the system by its code', () => {
    const error = Object.assign(new Error('ENOENT: no'), { code: 'ENOENT' });
    expect([isErrno(error, 'ENOENT'), isErrno(error, 'EIO', 'ENOENT'), isErrno(error, 'EIO'), isErrno(error)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([isErrno(new Error('ENOENT'), 'ENOENT'), isErrno('ENOENT', 'ENOENT'), isErrno(undefined, 'ENOENT')]).toEqual(
      [false, false, false],
    );
  });
});

describe('childPath', () => {
  it('is made of bytes', () => {
    const name = '\xff\xc3\xbc' as BytePath;
    expect(childPath('/ü', name)).toEqual(Buffer.from('/\xc3\xbc/\xff\xc3\xbc', 'latin1'));
    expect(childPath(Buffer.from('/\xfe', 'latin1'), name)).toEqual(Buffer.from('/\xfe/\xff\xc3\xbc', 'latin1'));
  });
});

interface Segment {
  readonly hole: number;
  readonly bytes: Uint8Array;
}

/** Segments one after the other, each behind its hole, and a hole at the end. */
function writeSegments(path: string, segments: readonly Segment[], end: number): void {
  const fd = openSync(path, 'w');
  let offset = 0;
  for (const { hole, bytes } of segments) {
    writeSync(fd, bytes, 0, bytes.length, offset + hole);
    offset += hole + bytes.length;
  }
  ftruncateSync(fd, offset + end);
  closeSync(fd);
}

/** How much room a file takes on disk, in units of 512 bytes. */
function blocks(path: string): number {
  files.sync(path);
  return statSync(path).blocks;
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

function code(expected: string): Error {
  return expect.objectContaining({ code: expected }) as Error;
}
