import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fitsMountString,
  formatRootfsPath,
  isBookkeeping,
  nameInside,
  parseRootfsPath,
  pinOptions,
  type RootfsPath,
  readOnlyMountOptions,
  unsupportedFeature,
  usesUserXattrs,
} from '../../src/layer/overlayfs.js';
import { listXattrs, mountOverlayAt, setXattr, unmount } from '../support/libc.js';
import { mountOverlay, temporaryDirectory } from '../support/overlay.js';
import { plant } from '../support/plant.js';

const PINNED = ['redirect_dir=off', 'metacopy=off', 'index=off', 'nfs_export=off', 'xino=off'];

describe('parseRootfsPath', () => {
  it.each<[string, RootfsPath]>([
    ['overlay:/lower:/upper', { kind: 'overlay', lowers: ['/lower'], upper: '/upper' }],
    ['overlayfs:/lower:/upper', { kind: 'overlay', lowers: ['/lower'], upper: '/upper' }],
    ['overlay:/l1:/l2:/l3:/v/delta', { kind: 'overlay', lowers: ['/l1', '/l2', '/l3'], upper: '/v/delta' }],
    ['overlay:/with:colon:/upper', { kind: 'overlay', lowers: ['/with:colon'], upper: '/upper' }],
    ['overlay:/only', { kind: 'other', store: 'overlay' }],
    ['dir:/var/lib/lxc/a/rootfs', { kind: 'directory', path: '/var/lib/lxc/a/rootfs' }],
    ['/var/lib/lxc/a/rootfs', { kind: 'directory', path: '/var/lib/lxc/a/rootfs' }],
    ['/with:colon', { kind: 'directory', path: '/with:colon' }],
    ['/devices', { kind: 'directory', path: '/devices' }],
    ['btrfs:/var/lib/lxc/a/rootfs', { kind: 'other', store: 'btrfs' }],
    ['zfs:tank/lxc/a', { kind: 'other', store: 'zfs' }],
    ['lvm:/dev/lxc/a', { kind: 'other', store: 'lvm' }],
    ['loop:/var/lib/lxc/a/rootdev', { kind: 'other', store: 'loop' }],
    ['nbd:/image:1', { kind: 'other', store: 'nbd' }],
    ['aufs:/lower:/upper', { kind: 'other', store: 'aufs' }],
    ['/dev/vg/a', { kind: 'other', store: 'block device' }],
    ['', { kind: 'other', store: 'none' }],
    ['relative', { kind: 'other', store: 'relative' }],
  ])('reads %s', (text, expected) => {
    expect(parseRootfsPath(text)).toEqual(expected);
  });

  it.each<[string, RootfsPath]>([
    ['dir:/rootfs/', { kind: 'directory', path: '/rootfs' }],
    ['/rootfs//', { kind: 'directory', path: '/rootfs' }],
    ['overlay:/lower/:/upper/', { kind: 'overlay', lowers: ['/lower'], upper: '/upper' }],
  ])('takes the slashes off the ends of %s, for a link with a slash behind it is followed', (text, expected) => {
    expect(parseRootfsPath(text)).toEqual(expected);
  });

  it('reads back what formatRootfsPath writes', () => {
    const path = fc.stringMatching(/^(\/[a-z0-9_.-]+)+$/);
    fc.assert(
      fc.property(fc.array(path, { minLength: 1 }), path, (lowers, upper) => {
        expect(parseRootfsPath(formatRootfsPath(lowers, upper))).toEqual({ kind: 'overlay', lowers, upper });
      }),
    );
  });
});

describe('pinOptions', () => {
  it.each<[string | undefined, string[]]>([
    [undefined, []],
    ['', []],
    ['redirect_dir=on,metacopy=on,index=on,nfs_export=on,xino=auto', []],
    ['redirect_dir=nofollow', []],
    ['noatime,volatile', ['noatime', 'volatile']],
    [',noatime,,index,ro,', ['noatime', 'ro']],
    ['context="a=b"', ['context="a=b"']],
  ])('sets of %s the pinned options, and keeps the others', (own, kept) => {
    expect(pinOptions(own).split(',')).toEqual([...PINNED, ...kept]);
  });

  it('changes nothing the second time', () => {
    expect(pinOptions(pinOptions('noatime'))).toBe(pinOptions('noatime'));
  });
});

describe('usesUserXattrs', () => {
  it('tells the option from others', () => {
    expect([undefined, '', 'noatime', 'userxattrs'].some(usesUserXattrs)).toBe(false);
    expect(['userxattr', 'noatime,userxattr'].every(usesUserXattrs)).toBe(true);
  });
});

describe('fitsMountString', () => {
  it('counts the bytes of the string that LXC hands to mount(2)', () => {
    const options = pinOptions('noatime');
    const lowers = ['/l1', '/l2'];
    const without = `upperdir=/v/,lowerdir=${lowers.join(':')},workdir=/v/work,${options}`.length;
    const upper = (length: number) => `/v/${'x'.repeat(length)}`;
    expect(fitsMountString(lowers, upper(3500 - without), options)).toBe(true);
    expect(fitsMountString(lowers, upper(3501 - without), options)).toBe(false);
    expect(fitsMountString(lowers, `/v/${'ü'.repeat((3500 - without) >> 1)}`, options)).toBe(true);
    expect(fitsMountString(lowers, `/v/${'ü'.repeat(((3500 - without) >> 1) + 1)}`, options)).toBe(false);
  });

  it('says so of no more layers than the kernel mounts', () => {
    using place = temporaryDirectory();
    const upper = join(place.path, 'delta');
    const lowers: string[] = [];
    for (let count = 0; ; count += 1) {
      const next = join(place.path, `${count}`.padStart(40, '0'));
      if (!fitsMountString([...lowers, next], upper, pinOptions(undefined))) break;
      lowers.push(plant(next, { [`file-${count}`]: '' }));
    }
    expect(lowers.length).toBeGreaterThan(40);
    using overlay = mountOverlay({ lowers, upper, options: pinOptions(undefined) });
    expect(readdirSync(overlay.path)).toHaveLength(lowers.length);
  });
});

describe('readOnlyMountOptions', () => {
  it('mounts layers, top first, with none to write to', () => {
    using place = temporaryDirectory();
    const top = plant(join(place.path, 'top'), { file: 'top' });
    const bottom = plant(join(place.path, 'bottom'), { file: 'bottom', below: '' });
    const target = join(place.path, 'merged');
    mkdirSync(target);
    mountOverlayAt(Buffer.from(target), Buffer.from(readOnlyMountOptions([top, bottom])));
    try {
      expect(readFileSync(join(target, 'file'), 'utf8')).toBe('top');
      expect(readdirSync(target).sort()).toEqual(['below', 'file']);
      expect(() => mkdirSync(join(target, 'new'))).toThrow(expect.objectContaining({ code: 'EROFS' }));
    } finally {
      unmount(Buffer.from(target));
    }
    expect(readdirSync(dirname(target)).sort()).toEqual(['bottom', 'merged', 'top']);
  });
});

describe('the attributes of an upper directory', () => {
  it.each<[string, boolean, string | undefined]>([
    ['trusted.overlay.opaque', true, undefined],
    ['trusted.overlay.whiteout', true, undefined],
    ['trusted.overlay.origin', true, undefined],
    ['trusted.overlay.impure', true, undefined],
    ['trusted.overlay.redirect', true, 'renamed'],
    ['trusted.overlay.metacopy', true, 'content'],
    ['trusted.overlay.protattr', true, 'chattr'],
    ['trusted.overlay.overlay.redirect', false, undefined],
    ['trusted.other', false, undefined],
    ['user.overlay.redirect', false, undefined],
  ])("%s: overlayfs's own %s, not kept for %s", (xattr, own, reason) => {
    expect(isBookkeeping(xattr)).toBe(own);
    if (reason === undefined) expect(unsupportedFeature(xattr)).toBeUndefined();
    else expect(unsupportedFeature(xattr)).toContain(reason);
  });
});

describe('nameInside', () => {
  it('is the name by which the container knows an attribute', () => {
    using place = temporaryDirectory();
    const base = plant(join(place.path, 'base'), { file: 'content' });
    const upper = join(place.path, 'top/delta');
    using overlay = mountOverlay({ lowers: [base], upper });
    for (const name of ['trusted.overlay.opaque', 'trusted.overlay.overlay.origin', 'trusted.other', 'user.a']) {
      setXattr(Buffer.from(join(overlay.path, 'file')), name, Buffer.from('y'));
      const outside = listXattrs(Buffer.from(join(upper, 'file'))).filter((each) => !isBookkeeping(each));
      expect(outside.map(nameInside)).toContain(name);
      expect(outside.length).toBeGreaterThan(0);
    }
    const inside = listXattrs(Buffer.from(join(overlay.path, 'file')));
    const outside = listXattrs(Buffer.from(join(upper, 'file'))).filter((each) => !isBookkeeping(each));
    expect(outside.map(nameInside).sort()).toEqual(inside.sort());
  });
});
