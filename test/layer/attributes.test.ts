import { execFileSync } from 'node:child_process';
import { chmodSync, lchownSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { files, type Stat } from '../../src/host/files.js';
import { copyAttributes, createDirectory } from '../../src/layer/attributes.js';
import { getXattr, listXattrs, setMtime, setXattr } from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { device, directory, fifo, type Make, plant } from '../support/plant.js';
import { compareTrees, readTree } from '../support/tree.js';

const LABEL = 'security.selinux';
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');

describe('copyAttributes', () => {
  it.each<[string, Make]>([
    ['file', 'content'],
    ['directory', directory],
    ['fifo', fifo],
    ['device', device(1, 3)],
  ])('makes of a %s what the other one is', (_, make) => {
    using place = temporaryDirectory();
    plant(place.path, { from: make, to: make });
    const from = join(place.path, 'from');
    lchownSync(from, 1000, 2000);
    chmodSync(from, 0o6751);
    setXattr(Buffer.from(from), 'trusted.\xe9\n', Buffer.from([0, 255]));
    setMtime(Buffer.from(from), -1_234_567_890_123_456_789n);
    copy(from, join(place.path, 'to'));
    expect(differences(place.path)).toEqual([]);
  });

  it('gives a symbolic link an owner, a time and attributes, and leaves alone what it leads to', () => {
    using place = temporaryDirectory();
    plant(place.path, { target: 'content' });
    const before = readTree(join(place.path, 'target'));
    for (const name of ['from', 'to']) symlinkSync('target', join(place.path, name));
    const from = join(place.path, 'from');
    lchownSync(from, 1000, 2000);
    setXattr(Buffer.from(from), 'trusted.a', Buffer.from('value'));
    setMtime(Buffer.from(from), 5n);
    copy(from, join(place.path, 'to'));
    expect(differences(place.path)).toEqual([]);
    expect(compareTrees(readTree(join(place.path, 'target')), before)).toEqual([]);
  });

  it('keeps the capability of a file, and ACLs', () => {
    using place = temporaryDirectory();
    plant(place.path, { 'from/dir/': directory, 'from/file': '', 'to/dir/': directory, 'to/file': '' });
    setXattr(Buffer.from(join(place.path, 'from/file')), 'security.capability', CAPABILITY);
    execFileSync('setfacl', ['-m', 'u:5:rwx,m::r', 'from/file', 'from/dir'], { cwd: place.path });
    execFileSync('setfacl', ['-m', 'd:u:5:r', 'from/dir'], { cwd: place.path });
    for (const name of ['dir', 'file']) copy(join(place.path, 'from', name), join(place.path, 'to', name));
    expect(listXattrs(Buffer.from(join(place.path, 'to/dir'))).sort()).toEqual([
      'system.posix_acl_access',
      'system.posix_acl_default',
    ]);
    expect(
      compareTrees(readTree(join(place.path, 'to')), readTree(join(place.path, 'from')), { ignore: rootOnly }),
    ).toEqual([]);
  });

  it('leaves the label of SELinux on what has one, which nobody may take away, and copies that of the other', () => {
    using place = temporaryDirectory();
    plant(place.path, { 'from/plain': '', 'from/labelled': '', 'to/plain': '', 'to/labelled': '' });
    const path = (name: string) => Buffer.from(join(place.path, name));
    for (const name of ['plain', 'labelled']) setXattr(path(`to/${name}`), LABEL, Buffer.from('of the host'));
    setXattr(path('from/labelled'), LABEL, Buffer.from('of the container'));
    const refused = vi.fn();
    const enforcing = { ...files, removeXattr: refused };
    for (const name of ['plain', 'labelled']) {
      const from = join(place.path, 'from', name);
      copyAttributes(enforcing, from, files.stat(from) as Stat, join(place.path, 'to', name));
    }
    expect(refused).not.toHaveBeenCalled();
    expect(getXattr(path('to/plain'), LABEL).toString()).toBe('of the host');
    expect(getXattr(path('to/labelled'), LABEL).toString()).toBe('of the container');
  });

  it("leaves overlayfs's own attributes behind, but for those that are to be kept", () => {
    using place = temporaryDirectory();
    plant(place.path, { 'from/': directory, 'to/': directory });
    const [from, to] = [join(place.path, 'from'), join(place.path, 'to')];
    for (const name of ['overlay.opaque', 'overlay.origin', 'overlay.impure', 'overlay.overlay.opaque', 'other']) {
      setXattr(Buffer.from(from), `trusted.${name}`, Buffer.from('y'));
    }
    copy(from, to);
    expect(listXattrs(Buffer.from(to)).sort()).toEqual(['trusted.other', 'trusted.overlay.overlay.opaque']);
    copy(from, to, (xattr) => xattr === 'trusted.overlay.opaque');
    expect(listXattrs(Buffer.from(to)).sort()).toEqual([
      'trusted.other',
      'trusted.overlay.opaque',
      'trusted.overlay.overlay.opaque',
    ]);
    expect(getXattr(Buffer.from(to), 'trusted.overlay.opaque').toString()).toBe('y');
  });
});

describe('createDirectory', () => {
  it('makes one that nobody else may enter, and opens it', () => {
    using place = temporaryDirectory();
    using made = createDirectory(files, join(place.path, 'new'));
    expect(files.stat(join(place.path, 'new'))).toMatchObject({ type: 'directory', mode: 0o700 });
    expect(files.list(made.path)).toEqual([]);
    expect(() => createDirectory(files, join(place.path, 'new'))).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  });
});

function copy(from: string, to: string, keep?: (xattr: string) => boolean): void {
  copyAttributes(files, from, files.stat(from) as Stat, to, keep);
}

function differences(place: string): string[] {
  return compareTrees(readTree(join(place, 'to')), readTree(join(place, 'from')));
}

function rootOnly(path: string): boolean {
  return path === '';
}
