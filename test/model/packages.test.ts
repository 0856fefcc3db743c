import { describe, expect, it } from 'vitest';
import {
  diffPackages,
  parseApkFiles,
  parseApkInstalled,
  parseDpkgList,
  parseDpkgStatus,
  parseRpmFiles,
  parseRpmList,
} from '../../src/model/packages.js';

const DPKG = `Package: adduser
Status: install ok installed
Priority: important
Architecture: all
Multi-Arch: foreign
Version: 3.134
Description: add and remove users and groups
 This package includes the commands.
 .
 Version: 9 is not its version.

Package: nano
Status: deinstall ok config-files
Architecture: amd64
Version: 7.2-1+deb12u1
Conffiles:
 /etc/nanorc 1

Package: libc6
Status: hold ok installed
Architecture: amd64
Multi-Arch: same
Version: 2.36-9+deb12u4

Package: libc6
Status: install ok triggers-awaited
Architecture: i386
Multi-Arch: same
Version: 2.36-9+deb12u4

Package: broken
Status: install reinstreq half-installed
Architecture: amd64
Version: 1
`;

const APK = `C:Q1yxfZ4fKmCDJVWlHMCXHGAGgBJ0c=
P:alpine-baselayout
V:3.4.3-r2
A:x86_64
F:etc
R:motd
Z:Q1SLkS9hBidUbPwwrw+XR0Whv3ww8=

C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:busybox
V:1.36.1-r15
D:so:libc.musl-x86_64.so.1
`;

describe('parseDpkgStatus', () => {
  it('tells what is installed, and the architecture where there can be several', () => {
    expect([...parseDpkgStatus(DPKG)]).toEqual([
      { name: 'adduser', version: '3.134' },
      { name: 'libc6:amd64', version: '2.36-9+deb12u4' },
      { name: 'libc6:i386', version: '2.36-9+deb12u4' },
    ]);
  });

  it('takes a stanza without a state, as in status.d, for installed', () => {
    expect([...parseDpkgStatus('Package: tzdata\nVersion: 2024a-0\n')]).toEqual([
      { name: 'tzdata', version: '2024a-0' },
    ]);
  });
});

describe('parseApkInstalled', () => {
  it('tells what is installed', () => {
    expect([...parseApkInstalled(APK)]).toEqual([
      { name: 'alpine-baselayout', version: '3.4.3-r2' },
      { name: 'busybox', version: '1.36.1-r15' },
    ]);
  });
});

describe('a database that its container made to be slow', () => {
  it.each([
    ['blanks before the end of a line', `Package: a${' '.repeat(2 ** 20)}x\n`],
    ['lines of blanks', `Package: a\n${' \t\n \t'.repeat(2 ** 16)}x\n`],
    ['nothing but line feeds', '\n'.repeat(2 ** 18)],
    ['one field again and again', 'Version: '.repeat(2 ** 17)],
    ['a field without an end', `Status:${' \r'.repeat(2 ** 19)}`],
  ])('is read in one pass: %s', (_, text) => {
    // What backtracks would be at this for hours.
    for (const parse of [
      parseDpkgStatus,
      parseApkInstalled,
      parseDpkgList,
      parseApkFiles,
      parseRpmFiles,
      parseRpmList,
    ]) {
      expect([...parse(text)].length).toBeLessThanOrEqual(2 ** 18);
    }
  });
});

describe('diffPackages', () => {
  it('tells what came, went and changed, by name', () => {
    const before = parse('zip 1', 'kept 1', 'kernel 1', 'kernel 2', 'gone 1');
    const after = parse('new 1', 'kept 1', 'kernel 2', 'kernel 3', 'kernel 4', 'zip 1:2-r1', 'a 1');
    expect(diffPackages('rpm', before, after)).toEqual({
      manager: 'rpm',
      installed: parse('a 1', 'kernel 3', 'kernel 4', 'new 1'),
      removed: parse('gone 1', 'kernel 1'),
      upgraded: [{ name: 'zip', from: '1', to: '1:2-r1' }],
    });
  });

  it('tells nothing of what is the same in another order', () => {
    const [a, b] = [parse('a 1', 'b 1', 'b 2'), parse('b 2', 'a 1', 'b 1')];
    expect(diffPackages('apk', a, b)).toEqual({ manager: 'apk', installed: [], removed: [], upgraded: [] });
  });
});

function parse(...packages: string[]) {
  return packages.map((text) => {
    const [name = '', version = ''] = text.split(' ');
    return { name, version };
  });
}

describe('the files of packages', () => {
  it('are those of a list of dpkg', () => {
    expect([...parseDpkgList('/.\n/usr\n/usr/bin/a b\nno path\n')]).toEqual(['usr', 'usr/bin/a b']);
  });

  it("are those of apk's database, which names a directory once", () => {
    const text = 'P:busybox\nV:1\nF:bin\nR:sh\nR:busybox\nF:\nR:top\n\nP:none\nV:1\n';
    expect([...parseApkFiles(text)]).toEqual([
      ['busybox', 'bin'],
      ['busybox', 'bin/sh'],
      ['busybox', 'bin/busybox'],
      ['busybox', 'top'],
    ]);
  });

  it('are those that rpm tells, as bytes', () => {
    const text = 'one\t/usr/bin/one\none\t/\xc3\xbc\ntwo\t(contains no files)\n';
    expect([...parseRpmFiles(text)]).toEqual([
      ['one', 'usr/bin/one'],
      ['one', '\xc3\xbc'],
    ]);
  });
});
