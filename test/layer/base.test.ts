import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Files, files } from '../../src/host/files.js';
import { fingerprint } from '../../src/layer/base.js';
import { digDeep } from '../support/deep.js';
import { setMtime } from '../support/libc.js';
import { temporaryDirectory } from '../support/overlay.js';
import { fifo, plant, symlinkTo } from '../support/plant.js';

describe('fingerprint', () => {
  it.each<[string, (at: (name: string) => string) => void]>([
    ['a new file', (at) => keepTime(at(''), () => writeFileSync(at('new'), ''))],
    ['a new file deep below', (at) => keepTime(at('usr/lib'), () => writeFileSync(at('usr/lib/new'), ''))],
    ['a new directory', (at) => keepTime(at(''), () => mkdirSync(at('new')))],
    ['a removed file', (at) => keepTime(at('usr'), () => rmSync(at('usr/file')))],
    ['a renamed file', (at) => keepTime(at('usr'), () => renameSync(at('usr/file'), at('usr/fill')))],
    ['another size', (at) => keepTime(at('usr/file'), () => writeFileSync(at('usr/file'), 'longer'))],
    ['another time of the same content', (at) => setMtime(Buffer.from(at('usr/file')), 1n)],
    ['a nanosecond', (at) => setMtime(Buffer.from(at('usr/lib')), 1_600_000_000_000_000_002n)],
    ['a mode', (at) => chmodSync(at('usr/file'), 0o4644)],
    ['the mode of the root', (at) => chmodSync(at(''), 0o700)],
    ['an owner', (at) => lchownSync(at('link'), 5, 0)],
    ['a group', (at) => lchownSync(at('usr'), 0, 5)],
    [
      'another type',
      (at) => {
        rmSync(at('fifo'));
        plant(at(''), { fifo: '' });
      },
    ],
  ])('is another one after %s', (_, change) => {
    using place = temporaryDirectory();
    const base = plantBase(place.path);
    const before = fingerprint(files, base);
    change((name) => join(base, name));
    expect(fingerprint(files, base)).not.toBe(before);
  });

  it('stays the same while the directory is only read', () => {
    using place = temporaryDirectory();
    const base = plantBase(place.path);
    const before = fingerprint(files, base);
    expect(before).toMatch(/^sha256:[0-9a-f]{64}$/);
    readFileSync(join(base, 'usr/file'));
    readdirSync(join(base, 'usr'));
    execFileSync('touch', ['-a', '-d', '@0', join(base, 'usr'), join(base, 'usr/file')]);
    expect(statSync(join(base, 'usr/file')).atimeMs).toBe(0);
    expect(fingerprint(files, base)).toBe(before);
  });

  it('is the same for the same directory under another name', () => {
    using place = temporaryDirectory();
    const base = plantBase(place.path);
    const before = fingerprint(files, base);
    symlinkSync(base, join(place.path, 'link'));
    expect(fingerprint(files, join(place.path, 'link'))).toBe(before);
    renameSync(base, join(place.path, 'moved'));
    expect(fingerprint(files, join(place.path, 'moved'))).toBe(before);
  });

  it('does not depend on the order in which a file system lists names', () => {
    using place = temporaryDirectory();
    const base = plantBase(place.path);
    const reversed: Files = { ...files, list: (path) => files.list(path).sort().reverse() };
    expect(fingerprint(reversed, base)).toBe(fingerprint(files, base));
  });

  it('looks through no symbolic link inside', () => {
    using place = temporaryDirectory();
    const outside = plant(join(place.path, 'outside'), { file: '' });
    const base = plant(join(place.path, 'base'), { link: symlinkTo(outside) });
    const before = fingerprint(files, base);
    writeFileSync(join(outside, 'new'), '');
    expect(fingerprint(files, base)).toBe(before);
  });

  it('is none where there is no directory', () => {
    using place = temporaryDirectory();
    plant(place.path, { file: '', dangling: symlinkTo('nowhere'), 'to-file': symlinkTo('file') });
    for (const name of ['missing', 'file', 'file/below', 'dangling', 'to-file']) {
      expect(fingerprint(files, join(place.path, name)), name).toBeUndefined();
    }
  });

  it('covers directories with paths that are too long for the kernel', () => {
    using place = temporaryDirectory();
    digDeep(place.path, 20, 'echo > file');
    const before = fingerprint(files, place.path);
    digDeep(place.path, 20, 'touch -d @1 file');
    expect(fingerprint(files, place.path)).not.toBe(before);
  });

  it('looks at some 4096 entries of the shallowest, however many there are', () => {
    using place = temporaryDirectory();
    for (let i = 0; i < 50; i += 1) {
      mkdirSync(join(place.path, `${i}`.padStart(2, '0')));
      for (let j = 0; j < 100; j += 1) writeFileSync(join(place.path, `${i}`.padStart(2, '0'), `${j}`), '');
    }
    const { looked, counting } = countLooks();
    const before = fingerprint(counting, place.path);
    expect(looked()).toBeGreaterThan(4000);
    expect(looked()).toBeLessThan(4300);
    writeFileSync(join(place.path, 'new'), '');
    expect(fingerprint(files, place.path)).not.toBe(before);
  });
});

function plantBase(place: string): string {
  const base = plant(join(place, 'base'), {
    'usr/lib/deep': '',
    'usr/file': 'short',
    link: symlinkTo('usr'),
    fifo,
  });
  for (const directory of ['usr/lib', 'usr', ''])
    setMtime(Buffer.from(join(base, directory)), 1_600_000_000_000_000_001n);
  return base;
}

/** Changes what is in a path, and puts its modification time back. */
function keepTime(path: string, change: () => void): void {
  const { mtimeNs } = statSync(path, { bigint: true });
  change();
  setMtime(Buffer.from(path), mtimeNs);
}

function countLooks(): { looked: () => number; counting: Files } {
  let count = 0;
  const counting: Files = {
    ...files,
    stat: (path) => {
      count += 1;
      return files.stat(path);
    },
  };
  return { looked: () => count, counting };
}
