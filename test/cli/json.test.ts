import { describe, expect, it } from 'vitest';
import { changeToJson, versionToJson } from '../../src/cli/json.js';
import type { BytePath } from '../../src/model/byte-path.js';
import type { Version } from '../../src/model/version.js';

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
    expect(versionToJson({ ...VERSION, pause: 12 })).toMatchObject({ pause: 12 });
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
    const { pathBytes } = changeToJson({ ...change, path: 'a\xff\n' as BytePath }) as { pathBytes: string };
    expect(Buffer.from(pathBytes, 'base64')).toEqual(Buffer.from([0x61, 0xff, 0x0a]));
  });
});
