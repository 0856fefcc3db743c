import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { checkPathOwned } from '../../src/store/ownership.js';
import { readStoreFile } from '../../src/store/store-file.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';

const STRANGER = 12_345;

describe('checkPathOwned', () => {
  it.each<[string, (place: string) => void, string | undefined]>([
    ['root alone', () => {}, undefined],
    ['a group that is root’s', (place) => chmodSync(join(place, 'on/way'), 0o770), undefined],
    ['a sticky directory on the way', (place) => chmodSync(join(place, 'on'), 0o1777), undefined],
    ['a stranger', (place) => chownSync(join(place, 'on/way'), STRANGER, 0), 'chown -h root: PLACE/on/way'],
    ['a stranger on the way', (place) => chownSync(join(place, 'on'), STRANGER, 0), 'chown -h root: PLACE/on'],
    ['everybody', (place) => chmodSync(join(place, 'on/way'), 0o777), 'chmod go-w PLACE/on/way'],
    ['everybody in a sticky directory', (place) => chmodSync(join(place, 'on/way'), 0o1777), 'chmod go-w PLACE/on/way'],
    ['everybody on the way', (place) => chmodSync(join(place, 'on'), 0o777), 'chmod go-w PLACE/on'],
    [
      'a group',
      (place) => {
        chownSync(join(place, 'on/way'), 0, STRANGER);
        chmodSync(join(place, 'on/way'), 0o770);
      },
      'chmod go-w PLACE/on/way',
    ],
    [
      'whom an ACL names',
      (place) => execFileSync('setfacl', ['-m', `u:${STRANGER}:rwx`, join(place, 'on/way')]),
      'chmod go-w PLACE/on/way',
    ],
  ])('tells who can write to a path: %s', (_, give, hint) => {
    using place = temporaryDirectory();
    mkdirSync(join(place.path, 'on/way'), { recursive: true });
    give(place.path);
    expect(hintOf(place, 'on/way')).toBe(hint);
    // What somebody else makes in a sticky directory is looked at when it is there.
    const mode = statSync(join(place.path, 'on/way')).mode;
    expect(hintOf(place, 'on/way/not/there/yet')).toBe((mode & 0o1000) === 0 ? hint : undefined);
  });

  it('looks at symbolic links, where they lie and where they lead', () => {
    using place = temporaryDirectory();
    for (const path of ['here', 'there/inside']) mkdirSync(join(place.path, path), { recursive: true });
    const link = join(place.path, 'here/link');
    symlinkSync('../there/inside', link);
    expect(hintOf(place, 'here/link')).toBeUndefined();
    chmodSync(join(place.path, 'there'), 0o777);
    expect(hintOf(place, 'here/link')).toBe('chmod go-w PLACE/there');
    chmodSync(join(place.path, 'there'), 0o755);
    lchownSync(link, STRANGER, 0);
    expect(hintOf(place, 'here/link')).toBe('chown -h root: PLACE/here/link');
    symlinkSync('loop', join(place.path, 'loop'));
    expect(hintOf(place, 'loop')).toBeUndefined();
  });
});

describe('a file of the store', () => {
  it.each<[string, (path: string) => void]>([
    ['is a stranger’s', (path) => chownSync(path, STRANGER, 0)],
    ['can be written to by everybody', (path) => chmodSync(path, 0o666)],
  ])('is not read where it %s', (_, give) => {
    using place = temporaryDirectory();
    const path = join(place.path, 'operations');
    writeFileSync(path, '');
    give(path);
    expect(() => readStoreFile(files, path)).toThrow(expect.objectContaining({ code: 'unsafe-owner', exitCode: 3 }));
  });
});

function hintOf({ path }: DisposablePath, name: string): string | undefined {
  try {
    checkPathOwned(files, join(path, name));
    return undefined;
  } catch (error) {
    const { code, hint } = error as { code: string; hint: string };
    expect(code).toBe('unsafe-owner');
    return hint.replace(/^[^:]*: /, '').replaceAll(path, 'PLACE');
  }
}
