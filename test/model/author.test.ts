import { describe, expect, it } from 'vitest';
import { parseAuthor } from '../../src/model/author.js';

describe('parseAuthor', () => {
  it.each([
    ['Ada <ada@example.org>', 'Ada', 'ada@example.org'],
    ['  Ada Lovelace   <ada@example.org> ', 'Ada Lovelace', 'ada@example.org'],
    ['Ada<ada@example.org>', 'Ada', 'ada@example.org'],
    ['Ada <>', 'Ada', ''],
    ['"Ada" O\'Lovelace, Dr. <ada>', '"Ada" O\'Lovelace, Dr.', 'ada'],
    ['Ünïcödé 🐧 <ü@example.org>', 'Ünïcödé 🐧', 'ü@example.org'],
  ])('reads %j', (text, name, email) => {
    expect(parseAuthor(text)).toEqual({ name, email });
  });

  it.each([
    '',
    'Ada',
    'ada@example.org',
    '<ada@example.org>',
    ' <ada@example.org>',
    'Ada <ada',
    'Ada ada>',
    'A <b> <c>',
    'A <b> c',
    'A <b<c>>',
  ])('refuses %j', (text) => {
    expect(() => parseAuthor(text)).toThrow(expect.objectContaining({ code: 'bad-usage', exitCode: 2 }));
  });

  it('refuses a long text at once', () => {
    expect(() => parseAuthor(`${'a '.repeat(50_000)}<`)).toThrow(expect.objectContaining({ code: 'bad-usage' }));
  });
});
