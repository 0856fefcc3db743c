import { describe, expect, it } from 'vitest';
import { changeToJson, packageToJson, textToJson, versionToJson } from '../../src/cli/json.js';
import type { BytePath } from '../../src/model/byte-path.js';
import type { Version } from '../../src/model/version.js';
import { placeOf } from '../support/place.js';

const VERSION = {
  id: 'abcdefghijkl',
  number: 2,
  repository: 'mysql',
  parents: [{ id: 'zyxwvutsrqpo', digest: `sha256:${'0'.repeat(64)}` }],
  message: 'Second thoughts',
  author: { name: 'Ada', email: 'ada@example.org' },
  time: '2026-01-02T03:04:05.678Z',
  container: 'mysql',
  branch: 'mysql',
  chain: ['versions/abcdefghijkl/delta'],
  bases: [],
  changes: { added: 1, modified: 2, removed: 3, size: 4 },
} as unknown as Version;

describe('versionToJson', () => {
  it('has the names that scripts build on, and no others', () => {
    expect(versionToJson(VERSION, ['mysql', 'tuning'])).toEqual({
      id: 'abcdefghijkl',
      number: 2,
      parents: ['zyxwvutsrqpo'],
      message: 'Second thoughts',
      author: { name: 'Ada', email: 'ada@example.org' },
      time: '2026-01-02T03:04:05.678Z',
      branch: 'mysql',
      refs: ['mysql', 'tuning'],
      changes: { added: 1, modified: 2, removed: 3, size: 4 },
    });
  });

  it('tells the pause of a version that was made while its container ran', () => {
    expect(versionToJson({ ...VERSION, pause: 12 }, [])).toMatchObject({ pause: 12 });
  });
});

describe('changeToJson', () => {
  it('gives the bytes of a name only where text would lose some', () => {
    const change = { kind: 'added', type: 'file', size: 1 } as const;
    expect(changeToJson({ ...change, path: 'etc/caf\xc3\xa9' as BytePath })).toEqual({
      path: 'etc/café',
      kind: 'added',
      type: 'file',
    });
    expect(changeToJson({ ...change, path: '' as BytePath })).toMatchObject({ path: '/' });
    const moved = changeToJson({ ...change, path: 'a' as BytePath, movedFrom: placeOf('b\xe9') });
    expect(moved).toMatchObject({
      movedFrom: 'b\ufffd',
      movedFromBytes: Buffer.from('b\xe9', 'latin1').toString('base64'),
    });
    const xattrs = new Map(['user.\xe9', 'user.\xe8'].map((name) => [name, Buffer.from(name)]));
    const after = { mode: 0, uid: 0, gid: 0, mtimeNs: 0n, xattrs };
    expect(changeToJson({ ...change, path: 'a' as BytePath, after })).toMatchObject({
      after: {
        xattrsBytes: [...xattrs].map(([name, value]) => ({ name: base64(name), value: value.toString('base64') })),
      },
    });
    const { pathBytes } = changeToJson({ ...change, path: 'a\xff\n' as BytePath }) as { pathBytes: string };
    expect(Buffer.from(pathBytes, 'base64')).toEqual(Buffer.from([0x61, 0xff, 0x0a]));
  });
});

describe('packageToJson', () => {
  it('gives the bytes of all paths where one is not UTF-8', () => {
    const fold = { manager: 'dpkg', name: 'a', from: null, to: '1' } as const;
    const paths = ['a', 'b\xe9'] as BytePath[];
    expect(packageToJson({ ...fold, paths: paths.slice(0, 1) })).toEqual({ ...fold, paths: ['a'] });
    expect(packageToJson({ ...fold, paths })).toEqual({
      ...fold,
      paths: ['a', 'b\ufffd'],
      pathsBytes: paths.map(base64),
    });
  });
});

describe('textToJson', () => {
  it('gives the bytes of a line only where text would lose some', () => {
    expect(textToJson(Buffer.from('é'))).toEqual({ text: 'é' });
    expect(textToJson(Buffer.from([0xe9]))).toEqual({ text: '\ufffd', textBytes: base64('\xe9') });
  });
});

function base64(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('base64');
}
