import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeDraft,
  decodeManifest,
  digestManifest,
  encodeDraft,
  encodeManifest,
  parseVersioned,
} from '../../src/model/manifest.js';
import type { Version } from '../../src/model/version.js';

const VERSION = {
  id: 'abcdefghijkl',
  number: 2,
  repository: 'mysql',
  parents: [{ id: 'bbcdefghijkl', digest: `sha256:${'0123456789abcdef'.repeat(4)}` }],
  message: 'title\n\nbody "ü"',
  author: { name: 'Ada', email: '' },
  time: '2026-01-02T03:04:05.678Z',
  container: 'mysql_tmp',
  branch: 'main',
  chain: ['versions/abcdefghijkl/delta', 'versions/bbcdefghijkl/keyframe-1'],
  bases: [{ path: '/var/lib/lxc/base/rootfs', fingerprint: 'sha256:00' }],
  changes: { added: 1, modified: 2, removed: 3, bytes: 4 },
} as unknown as Version;

const TEXT = `{
  "format": 1,
  "id": "abcdefghijkl",
  "number": 2,
  "repository": "mysql",
  "parents": [
    {
      "id": "bbcdefghijkl",
      "digest": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    }
  ],
  "message": "title\\n\\nbody \\"ü\\"",
  "author": {
    "name": "Ada",
    "email": ""
  },
  "time": "2026-01-02T03:04:05.678Z",
  "container": "mysql_tmp",
  "branch": "main",
  "chain": [
    "versions/abcdefghijkl/delta",
    "versions/bbcdefghijkl/keyframe-1"
  ],
  "bases": [
    {
      "path": "/var/lib/lxc/base/rootfs",
      "fingerprint": "sha256:00"
    }
  ],
  "changes": {
    "added": 1,
    "modified": 2,
    "removed": 3,
    "bytes": 4
  }
}
`;

describe('encodeManifest', () => {
  it('writes canonical JSON', () => {
    expect(encodeManifest(VERSION).toString()).toBe(TEXT);
  });

  it('writes the same bytes whatever the order of the keys was', () => {
    const shuffled = Object.fromEntries(Object.entries(VERSION).reverse()) as unknown as Version;
    expect(encodeManifest(shuffled)).toEqual(encodeManifest(VERSION));
  });

  it('writes the pause of a running container at the end', () => {
    expect(encodeManifest({ ...VERSION, pause: 12 }).toString()).toMatch(/\},\n {2}"pause": 12\n\}\n$/);
  });

  it('refuses to write what it would not read', () => {
    expect(() => encodeManifest({ ...VERSION, number: -1 })).toThrow();
    expect(() => encodeManifest({ ...VERSION, time: '2026-01-02' })).toThrow();
    for (const year of ['0001', '-000100', '+010000']) {
      const version = { ...VERSION, time: `${year}-01-02T03:04:05.678Z` };
      expect(decodeManifest(encodeManifest(version), 'here')).toEqual(version);
    }
    expect(() => encodeManifest({ ...VERSION, chain: [] })).toThrow();
  });
});

describe('decodeManifest', () => {
  it('reads what encodeManifest writes, whatever the texts are', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.nat(),
        fc.option(fc.nat(), { nil: undefined }),
        (message, name, email, bytes, pause) => {
          const version: Version = {
            ...VERSION,
            message,
            author: { name, email },
            changes: { added: 0, modified: 0, removed: 0, bytes },
            ...(pause === undefined ? {} : { pause }),
          };
          const decoded = decodeManifest(encodeManifest(version), 'file');
          expect(decoded).toEqual(version);
          expect(encodeManifest(decoded)).toEqual(encodeManifest(version));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('reads a version without parents and bases', () => {
    const version = { ...VERSION, parents: [], bases: [] };
    expect(decodeManifest(encodeManifest(version), 'file')).toEqual(version);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', TEXT.slice(0, -20)],
    ['a list', '[]'],
    ['null', 'null'],
    ['no format', edit('"format": 1,', '')],
    ['a format that is no number', edit('"format": 1', '"format": "1"')],
    ['format 0', edit('"format": 1', '"format": 0')],
    ['an unknown key', edit('"number": 2', '"number": 2, "extra": 1')],
    ['a key that every object has', edit('"number": 2', '"number": 2, "toString": 1')],
    ['an unknown key inside', edit('"email": ""', '"email": "", "phone": ""')],
    ['a missing key', edit('"number": 2,', '')],
    ['an id that is none', edit('"id": "abcdefghijkl"', '"id": "ABCDEFGHIJKL"')],
    ['an id that leads out', edit('"id": "abcdefghijkl"', '"id": "../../../etc"')],
    ['a number that is a text', edit('"number": 2', '"number": "2"')],
    ['a number below zero', edit('"number": 2', '"number": -2')],
    ['half a number', edit('"number": 2', '"number": 2.5')],
    ['a repository that leads out', edit('"repository": "mysql"', '"repository": "../mysql"')],
    ['a container that leads out', edit('"container": "mysql_tmp"', '"container": "a/b"')],
    ['a branch with a blank', edit('"branch": "main"', '"branch": "a b"')],
    ['a digest of another kind', edit('sha256:0123', 'md5:0123')],
    ['a time of another zone', edit('.678Z', '.678+01:00')],
    ['an empty chain', edit(/"chain": \[[^\]]*\]/, '"chain": []')],
    ['a layer that leads out', edit('versions/abcdefghijkl/delta', 'versions/../../etc')],
    ['a layer that is absolute', edit('versions/abcdefghijkl/delta', '/versions/abcdefghijkl/delta')],
    ['a keyframe of rank 10', edit('keyframe-1', 'keyframe-10')],
    ['a base that is relative', edit('"path": "/var', '"path": "var')],
    ['a count below zero', edit('"bytes": 4', '"bytes": -4')],
    ['a pause that is a text', edit(/\}\n\}\n$/, '},\n  "pause": "1"\n}\n')],
    ['other blanks', edit('"number": 2', '"number":  2')],
    ['a key twice', edit('"number": 2', '"number": 1, "number": 2')],
    ['keys in another order', edit(/("id": .*),\n {2}("number": 2)/, '$2,\n  $1')],
    ['no newline at its end', TEXT.trimEnd()],
  ])('refuses %s as damaged', (_, text) => {
    expect(() => decodeManifest(Buffer.from(text), '/store/manifest.json')).toThrow(
      expect.objectContaining({
        code: 'store-damaged',
        exitCode: 5,
        message: expect.stringContaining('/store/manifest.json is damaged'),
      }),
    );
  });

  it('refuses bytes that are no UTF-8 as damaged', () => {
    const bytes = Buffer.from(edit('"name": "Ada"', '"name": "A\xffa"'), 'latin1');
    expect(() => decodeManifest(bytes, 'file')).toThrow(expect.objectContaining({ code: 'store-damaged' }));
  });

  it.each(['2', '1.5', '1e9'])('refuses format %s as newer, whatever else it holds', (format) => {
    const bytes = Buffer.from(`{"format": ${format}, "unknown": true}`);
    expect(() => decodeManifest(bytes, '/store/manifest.json')).toThrow(
      expect.objectContaining({
        code: 'store-newer',
        exitCode: 5,
        message: expect.stringContaining('/store/manifest.json'),
      }),
    );
  });

  it('names the field that is wrong', () => {
    expect(() => decodeManifest(Buffer.from(edit('"email": ""', '"email": 1')), 'file')).toThrow('author.email');
  });
});

describe('digestManifest', () => {
  it('is the SHA-256 of the bytes of the file', () => {
    const hex = createHash('sha256').update(TEXT).digest('hex');
    expect(digestManifest(encodeManifest(VERSION))).toBe(`sha256:${hex}`);
  });

  it('is another one for another byte', () => {
    expect(digestManifest(Buffer.from(TEXT.replace('Ada', 'ada')))).not.toBe(digestManifest(Buffer.from(TEXT)));
  });
});

describe('parseVersioned', () => {
  it('reads JSON of a format up to the newest', () => {
    expect(parseVersioned(Buffer.from('{"format": 1, "a": 2}'), 3, 'file')).toEqual({ format: 1, a: 2 });
    expect(parseVersioned(Buffer.from('{"format": 3}'), 3, 'file')).toEqual({ format: 3 });
    expect(() => parseVersioned(Buffer.from('{"format": 4}'), 3, 'file')).toThrow(
      expect.objectContaining({ code: 'store-newer' }),
    );
  });
});

/** The manifest's text after one replacement, which must find something. */
function edit(what: string | RegExp, by: string): string {
  const text = TEXT.replace(what, by);
  if (text === TEXT) throw new Error(`there is no ${what} in the manifest`);
  return text;
}

describe('decodeDraft', () => {
  const { changes, ...draft } = VERSION;

  it('reads what encodeDraft writes, and no whole manifest', () => {
    expect(decodeDraft(encodeDraft(draft), 'here')).toEqual(draft);
    expect(() => decodeDraft(encodeManifest(VERSION), 'here')).toThrow(
      expect.objectContaining({ code: 'store-damaged', message: expect.stringContaining('changes') }),
    );
    expect(() => decodeManifest(encodeDraft(draft), 'here')).toThrow(
      expect.objectContaining({ code: 'store-damaged', message: expect.stringContaining('changes') }),
    );
  });
});
