import { describe, expect, it } from 'vitest';
import {
  checkHostName,
  isRepositoryName,
  isVersionId,
  parseBranchName,
  parseContainerName,
} from '../../src/model/names.js';

const REFUSED = [
  '',
  ' ',
  '.',
  '..',
  '.hidden',
  '-rf',
  'a b',
  'a/b',
  '../a',
  'a:b',
  'a,b',
  'a\\b',
  'a@b',
  'a~1',
  'a^',
  'a\n',
  'a\0',
  'ü',
  'a'.repeat(256),
];
const TAKEN = ['mysql', 'my-sql_2.old', '_', '0', '9lives', 'A', 'a..b', 'a.', 'a-', 'HEAD-2', 'a'.repeat(254)];

describe('parseContainerName', () => {
  it.each(TAKEN)('takes %j', (name) => {
    expect(parseContainerName(name)).toBe(name);
    expect(isRepositoryName(name)).toBe(true);
  });

  it.each(REFUSED)('refuses %j', (name) => {
    expect(() => parseContainerName(name)).toThrow(expect.objectContaining({ code: 'bad-name', exitCode: 2 }));
    expect(isRepositoryName(name)).toBe(false);
  });

  it('takes a name that LXC can make a lock file of, and for a new container one that can be a host name', () => {
    expect(() => parseContainerName('a'.repeat(255))).toThrow('name of 255 characters is too long');
    expect(() => checkHostName(parseContainerName('a'.repeat(64)))).not.toThrow();
    expect(() => checkHostName(parseContainerName('a'.repeat(65)))).toThrow('name of 65 characters is too long');
    expect(parseBranchName('a'.repeat(255))).toHaveLength(255);
  });

  it('shows in its message what it refused, with nothing in it that a terminal would obey', () => {
    expect(() => parseContainerName('\x1b[31m')).toThrow('"\\u001b[31m" is no name for a container');
    expect(() => parseContainerName('a'.repeat(300))).toThrow('name of 300 characters is too long');
  });
});

describe('parseBranchName', () => {
  it.each(TAKEN.filter((name) => !['0', 'a..b', 'a.'].includes(name)))('takes %j', (name) => {
    expect(parseBranchName(name)).toBe(name);
  });

  it.each([...REFUSED, 'HEAD', '0', '007', '12', 'a..b', 'a.', 'x.lock', 'abcdefghijkl', 'k3j9x2a8m1qz'])(
    'refuses %j',
    (name) => {
      expect(() => parseBranchName(name)).toThrow(expect.objectContaining({ code: 'bad-name' }));
    },
  );
});

describe('isVersionId', () => {
  it('takes a letter and eleven letters or digits', () => {
    expect(['abcdefghijkl', 'a0123456789z'].every(isVersionId)).toBe(true);
    expect(
      ['', 'abcdefghijk', 'abcdefghijklm', '0bcdefghijkl', 'Abcdefghijkl', 'abcdefghijk_', 'abcdefghijkl\n'].some(
        isVersionId,
      ),
    ).toBe(false);
  });
});
