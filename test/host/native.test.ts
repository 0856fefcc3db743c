import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  cloneFile,
  exchange,
  makeNode,
  nextData,
  renameNew,
  setTimes,
  syncFileSystem,
  tryLock,
} from '../../src/host/native.js';
import { getXattr, listXattrs, setXattr } from '../../src/host/xattrs.js';
import * as libc from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { plant } from '../support/plant.js';

const MIB = 1 << 20;
const [S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK] = [0o010000, 0o020000, 0o060000, 0o140000];

describe('setTimes', () => {
  it.each([0n, 1n, 1_700_000_000_123_456_789n, -1n, -999_999_999n, -1_000_000_000n, -86_400_000_000_001n])(
    'sets %s nanoseconds since the epoch',
    (ns) => {
      using place = temporaryDirectory();
      plant(place.path, { file: '' });
      setTimes(join(place.path, 'file'), 5n, ns);
      expect(lstatSync(join(place.path, 'file'), { bigint: true })).toMatchObject({ mtimeNs: ns, atimeNs: 5n });
    },
  );

  it('sets those of a symbolic link, and not those of what it leads to', () => {
    using place = temporaryDirectory();
    plant(place.path, { file: '' });
    symlinkSync('file', join(place.path, 'link'));
    const { mtimeNs } = lstatSync(join(place.path, 'file'), { bigint: true });
    setTimes(join(place.path, 'link'), 7n, 1_000_000_007n);
    expect(lstatSync(join(place.path, 'link'), { bigint: true }).mtimeNs).toBe(1_000_000_007n);
    expect(lstatSync(join(place.path, 'file'), { bigint: true }).mtimeNs).toBe(mtimeNs);
  });
});

describe('exchange', () => {
  it('swaps what two paths name, whatever their types', () => {
    using place = temporaryDirectory();
    plant(place.path, { 'directory/inside': '' });
    symlinkSync('/away', join(place.path, 'link'));
    exchange(join(place.path, 'directory'), join(place.path, 'link'));
    expect(readlinkSync(join(place.path, 'directory'))).toBe('/away');
    expect(readdirSync(join(place.path, 'link'))).toEqual(['inside']);
  });

  it('needs both', () => {
    using place = temporaryDirectory();
    plant(place.path, { one: '' });
    const [one, missing] = [join(place.path, 'one'), join(place.path, 'missing')];
    expect(() => exchange(one, missing)).toThrow(systemError('ENOENT', 'renameat2', one));
    expect(readdirSync(place.path)).toEqual(['one']);
  });
});

describe('renameNew', () => {
  it('renames to a new name only', () => {
    using place = temporaryDirectory();
    plant(place.path, { one: '1', two: '2' });
    const at = (name: string) => join(place.path, name);
    expect(() => renameNew(at('one'), at('two'))).toThrow(systemError('EEXIST', 'renameat2', at('two')));
    renameNew(at('one'), at('three'));
    expect(readdirSync(place.path).sort()).toEqual(['three', 'two']);
    expect(readFileSync(at('two'), 'utf8')).toBe('2');
  });
});

describe('makeNode', () => {
  it.each([
    ['fifo', S_IFIFO, 0n],
    ['socket', S_IFSOCK, 0n],
    ['whiteout', S_IFCHR, 0n],
    ['character device', S_IFCHR, 0x103n],
    ['block device of large numbers', S_IFBLK, 0x1234_5678n],
  ])('makes a %s', (_, type, device) => {
    using place = temporaryDirectory();
    const path = join(place.path, 'node');
    makeNode(path, type | 0o600, device);
    const stat = lstatSync(path, { bigint: true });
    expect([stat.mode, stat.rdev]).toEqual([BigInt(type | 0o600), device]);
    expect(() => makeNode(path, type | 0o600, device)).toThrow(systemError('EEXIST', 'mknod', path));
  });
});

describe('extended attributes', () => {
  it('are read and written whatever the bytes of their names and values are', () => {
    using place = temporaryDirectory();
    const path = join(plant(place.path, { file: '' }), 'file');
    const values = new Map([
      ['user.empty', Buffer.alloc(0)],
      ['user.\xff\n', Buffer.from([0, 1, 255, 0])],
      ['user.\xc3\xbc', Buffer.from('ü')],
      ['trusted.large', Buffer.alloc(3000, 7)],
    ]);
    for (const [name, value] of values) setXattr(path, name, value);
    expect(listXattrs(path).sort()).toEqual([...values.keys()].sort());
    for (const [name, value] of values) {
      expect(getXattr(path, name), name).toEqual(value);
      expect(libc.getXattr(Buffer.from(path), name), name).toEqual(value);
    }
    setXattr(path, 'user.empty', Buffer.from('now'));
    expect(getXattr(path, 'user.empty')?.toString()).toBe('now');
  });

  it('are those of a symbolic link itself', () => {
    using place = temporaryDirectory();
    const link = Buffer.from(`${place.path}/l\xe9nk`, 'latin1');
    plant(place.path, { file: '' });
    symlinkSync('file', link);
    setXattr(link, 'trusted.own', Buffer.from('y'));
    expect(listXattrs(link)).toEqual(['trusted.own']);
    expect(listXattrs(join(place.path, 'file'))).toEqual([]);
    expect(() => setXattr(link, 'user.a', Buffer.from(''))).toThrow(expect.objectContaining({ code: 'EPERM' }));
  });

  it('may be missing, and so may what has them', () => {
    using place = temporaryDirectory();
    expect(listXattrs(place.path)).toEqual([]);
    expect(getXattr(place.path, 'user.none')).toBeUndefined();
    expect(getXattr('/proc/self/status', 'user.none')).toBeUndefined();
    expect(listXattrs('/proc/self/status')).toEqual([]);
    const missing = join(place.path, 'missing');
    expect(() => listXattrs(missing)).toThrow(systemError('ENOENT', 'llistxattr', missing));
    expect(() => getXattr(missing, 'user.a')).toThrow(systemError('ENOENT', 'lgetxattr', missing));
    expect(() => setXattr(missing, 'user.a', Buffer.alloc(0))).toThrow(systemError('ENOENT', 'lsetxattr', missing));
  });

  it('do not share a buffer', () => {
    using place = temporaryDirectory();
    setXattr(place.path, 'user.a', Buffer.from('first'));
    setXattr(place.path, 'user.b', Buffer.from('other'));
    const first = getXattr(place.path, 'user.a');
    getXattr(place.path, 'user.b');
    expect(first?.toString()).toBe('first');
  });
});

describe('nextData', () => {
  it('finds the ranges of a file that hold data', () => {
    using place = temporaryDirectory();
    using file = openFile(join(place.path, 'file'));
    writeSync(file.fd, 'start', 0);
    writeSync(file.fd, 'middle', 4 * MIB);
    ftruncateSync(file.fd, 8 * MIB);
    const first = nextData(file.fd, 0) as [number, number];
    const second = nextData(file.fd, first[1]) as [number, number];
    expect([first[0], second[0]]).toEqual([0, 4 * MIB]);
    for (const [start, end] of [first, second]) expect(end - start).toBeLessThan(MIB);
    expect(nextData(file.fd, second[1])).toBeUndefined();
    expect(nextData(file.fd, 9 * MIB)).toBeUndefined();
  });

  it('works past four gibibytes', () => {
    using place = temporaryDirectory();
    using file = openFile(join(place.path, 'file'));
    const far = 5 * 2 ** 30;
    writeSync(file.fd, 'x', far);
    expect(nextData(file.fd, 0)).toEqual([far, far + 1]);
  });
});

describe('cloneFile', () => {
  it('shares the blocks of a file, or says that it cannot and leaves the other empty', () => {
    using place = temporaryDirectory();
    plant(place.path, { from: 'content' });
    const from = openSync(join(place.path, 'from'), 'r');
    using to = openFile(join(place.path, 'to'));
    const cloned = cloneFile(from, to.fd);
    closeSync(from);
    expect(readFileSync(join(place.path, 'to'), 'utf8')).toBe(cloned ? 'content' : '');
  });
});

describe('tryLock', () => {
  it('tells a lock that another open file holds from a failure', () => {
    using place = temporaryDirectory();
    using one = openFile(join(place.path, 'file'));
    using other = openFile(join(place.path, 'file'));
    expect([tryLock(one.fd), tryLock(one.fd), tryLock(other.fd)]).toEqual([true, true, false]);
    expect(() => tryLock(987_654)).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'flock' }));
  });
});

describe('syncFileSystem', () => {
  it('takes any open file, and nothing else', () => {
    using place = temporaryDirectory();
    using file = openFile(join(place.path, 'file'));
    syncFileSystem(file.fd);
    expect(() => syncFileSystem(987_654)).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'syncfs' }));
  });
});

describe('a path of bytes', () => {
  it('is taken as it is', () => {
    using place = temporaryDirectory();
    const path = Buffer.from(`${place.path}/\xff\n`, 'latin1');
    writeFileSync(path, '');
    setTimes(path, 0n, 42n);
    expect(lstatSync(path, { bigint: true }).mtimeNs).toBe(42n);
    const moved = Buffer.from(`${place.path}/\xfe`, 'latin1');
    renameNew(path, moved);
    mkdirSync(path);
    exchange(path, moved);
    expect(readdirSync(place.path, 'latin1').sort()).toEqual(['\xfe', '\xff\n']);
    expect(lstatSync(moved).isDirectory()).toBe(true);
  });
});

function openFile(path: string): Disposable & { readonly fd: number } {
  const fd = openSync(path, 'a+');
  closeSync(fd);
  const both = openSync(path, 'r+');
  return { fd: both, [Symbol.dispose]: () => closeSync(both) };
}

function systemError(code: string, syscall: string, path: string): Error {
  return expect.objectContaining({ code, syscall, path }) as Error;
}
