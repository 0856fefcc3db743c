import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseFileRevision,
  parseRange,
  parseRevision,
  parseTreePath,
  type Revision,
} from '../../src/model/revision.js';

type Start = Revision['point']['start'];
type Steps = Revision['point']['steps'];

const HEAD: Start = { kind: 'HEAD' };
const named = (text: string): Start => ({ kind: 'name', text });

const ancestor = (count: number): Steps[number] => ({ kind: 'ancestor', count });
const parent = (index: number): Steps[number] => ({ kind: 'parent', index });

describe('parseRevision', () => {
  it.each<[string, string, Start, Steps]>([
    ['mysql', 'mysql', HEAD, []],
    ['mysql@2', 'mysql', { kind: 'number', number: 2 }, []],
    ['mysql@HEAD', 'mysql', HEAD, []],
    ['mysql@WORK', 'mysql', { kind: 'WORK' }, []],
    ['mysql@BASE', 'mysql', { kind: 'BASE' }, []],
    ['mysql@tuning.2', 'mysql', named('tuning.2'), []],
    ['mysql@abcdefghijkl', 'mysql', named('abcdefghijkl'), []],
    ['mysql~', 'mysql', HEAD, [ancestor(1)]],
    ['mysql~0', 'mysql', HEAD, [ancestor(0)]],
    ['mysql~12', 'mysql', HEAD, [ancestor(12)]],
    ['mysql^', 'mysql', HEAD, [parent(1)]],
    ['mysql^0', 'mysql', HEAD, [parent(0)]],
    ['mysql^^2~3~', 'mysql', HEAD, [parent(1), parent(2), ancestor(3), ancestor(1)]],
    ['mysql@~2', 'mysql', HEAD, [ancestor(2)]],
    ['mysql@2~1', 'mysql', { kind: 'number', number: 2 }, [ancestor(1)]],
    ['mysql@main^2', 'mysql', named('main'), [parent(2)]],
    ['mysql@main~999999', 'mysql', named('main'), [ancestor(999_999)]],
  ])('reads %s', (text, name, start, steps) => {
    expect(parseRevision(text)).toEqual({ name, point: { start, steps }, text });
  });

  it.each([
    'mysql@',
    'mysql@a@b',
    'mysql@a b',
    'mysql@.a',
    'mysql@-a',
    'mysql~x',
    'mysql~-1',
    'mysql~1x',
    'mysql@a:b',
    'mysql@{1}',
    'mysql~1234567',
    'mysql@a\n',
  ])('refuses %j as a revision', (text) => {
    expect(() => parseRevision(text)).toThrow(expect.objectContaining({ code: 'bad-revision', exitCode: 2 }));
  });

  it.each(['', '@2', '~1', 'my sql@2', '../mysql@2', 'my/sql', '-P'])('refuses the name in %j', (text) => {
    expect(() => parseRevision(text)).toThrow(expect.objectContaining({ code: 'bad-name' }));
  });

  it('either reads a text or refuses it, in a time that does not grow faster than the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '1', '@', '~', '^', '.', '-', ' ', '\n') }), (text) => {
        try {
          expect(parseRevision(text).text).toBe(text);
        } catch (error) {
          expect(error).toMatchObject({ name: 'LxcvError' });
        }
      }),
    );
    expect(() => parseRevision(`mysql${'~1^'.repeat(20_000)}!`)).toThrow(
      expect.objectContaining({ code: 'bad-revision' }),
    );
  });
});

describe('parseFileRevision', () => {
  it.each([
    ['mysql:/etc/passwd', 'mysql', 'etc/passwd'],
    ['mysql@2:etc//./passwd/', 'mysql@2', 'etc/passwd'],
    ['mysql@2:', 'mysql@2', ''],
    ['mysql@WORK:/', 'mysql@WORK', ''],
    ['mysql@2:/srv/a:b', 'mysql@2', 'srv/a:b'],
    ['mysql~1:/etc/na\u00efve', 'mysql~1', 'etc/na\u00c3\u00afve'],
  ])('reads %s', (text, revision, path) => {
    expect(parseFileRevision(text)).toEqual({ revision: parseRevision(revision), path });
  });

  it.each([
    ['etc/caf\udce9', 'etc/caf\xe9'],
    ['"etc/caf\\351"', 'etc/caf\xe9'],
    ['"/a\\nb\\"/"', 'a\nb"'],
    ['"a"b', '"a"b'],
  ])('reads the path %j by its bytes', (text, path) => {
    expect(parseTreePath(text)).toBe(path);
  });

  it('reads a revision without a path as that', () => {
    expect(parseFileRevision('mysql@2')).toEqual(parseRevision('mysql@2'));
  });

  it.each(['../etc', 'a/../b', '..', 'a\0b', '"a/\\056./b"', '"\\000"'])(
    'refuses a path that could lead elsewhere: %j',
    (path) => {
      expect(() => parseTreePath(path)).toThrow(expect.objectContaining({ code: 'bad-path', exitCode: 2 }));
    },
  );
});

describe('parseRange', () => {
  it.each([
    ['bb@0..1', ['bb@0', 'bb@1']],
    ['bb@0..bb@1', ['bb@0', 'bb@1']],
    ['bb@0..', ['bb@0', 'bb@HEAD']],
    ['bb@..v1.0', ['bb@HEAD', 'bb@v1.0']],
    ['bb@v1.0..v2.0', ['bb@v1.0', 'bb@v2.0']],
    ['a..b@1', ['a..b@1']],
    ['a..b', ['a..b']],
    ['bb@1', ['bb@1']],
    ['bb@0...1', ['bb@0...1']],
  ])('of %s is %j', (text, expected) => {
    expect(parseRange(text)).toEqual(expected);
  });
});
