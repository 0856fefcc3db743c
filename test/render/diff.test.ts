import { describe, expect, it } from 'vitest';
import type { BytePath } from '../../src/model/byte-path.js';
import type { ChangeKind, ChangeRecord } from '../../src/model/changes.js';
import { diffLines, nameStatusLines } from '../../src/render/diff.js';
import type { Style } from '../../src/render/style.js';
import { placeOf } from '../support/place.js';

const TERMINAL: Style = { colour: false, width: 80, now: new Date(0), human: true };
const UNCHANGED = { removed: [], added: [] };

describe('renderNameStatus', () => {
  it('writes a letter and a path a line, and what was moved with both of its paths', () => {
    const changes = [
      change('metadata', ''),
      change('modified', 'etc/hosts'),
      { ...change('removed', 'etc/old'), movedTo: placeOf('etc/new') },
      { ...change('added', 'etc/new'), movedFrom: placeOf('etc/old') },
      change('removed', 'two\nlines'),
      change('added', 'srv'),
    ];
    expect([...nameStatusLines(changes, TERMINAL)]).toEqual([
      'm\t/',
      'M\tetc/hosts',
      'R\tetc/old\tetc/new',
      String.raw`D	"two\nlines"`,
      'A\tsrv',
    ]);
  });
});

describe('renderDiff', () => {
  it('shows every path where they fit the screen, and what changed in the LXC config', () => {
    const config = { removed: ['lxc.uts.name = old'], added: ['lxc.uts.name = \x1b[31mnew'] };
    expect(renderDiff({ changes: [change('added', 'a')], config }, TERMINAL, 10)).toBe(
      'A\ta\n\nLXC config:\n- lxc.uts.name = old\n+ lxc.uts.name = \\x1b[31mnew',
    );
  });

  it('says nothing of what does not differ', () => {
    expect(renderDiff({ changes: [], config: UNCHANGED }, TERMINAL, 10)).toBe('');
  });

  it('counts what does not fit by the directories that hold the most', () => {
    expect(renderDiff({ changes: upgrade(), config: UNCHANGED }, TERMINAL, 10).split('\n')).toEqual([
      'etc/passwd            modified',
      'usr/bin/              40 modified',
      'usr/share/doc/        1,200 added',
      'usr/share/man/        300 added, 2 removed',
      'var/lib/mysql/ibdata  modified',
      'var/log/              1 moved, 1 metadata only',
      '',
      '1,500 added, 42 modified, 2 removed, 1 moved, 1 metadata only in all',
      'Every path: --name-status. More: --stat, --metadata, --packages. A part: -- PATH',
    ]);
  });

  it('opens fewer directories on a smaller screen, and never shows more than it holds', () => {
    for (const rows of [9, 10, 14, 24, 80]) {
      expect(renderDiff({ changes: upgrade(), config: UNCHANGED }, TERMINAL, rows).split('\n').length).toBeLessThan(
        rows,
      );
    }
    expect(renderDiff({ changes: upgrade(), config: UNCHANGED }, TERMINAL, 9)).toContain(
      'var/            1 modified, 1 moved',
    );
  });
});

function upgrade(): ChangeRecord[] {
  return [
    change('modified', 'etc/passwd'),
    ...many(40, (n) => change('modified', `usr/bin/${n}`)),
    ...many(1200, (n) => change('added', `usr/share/doc/${n % 100}/${n}`)),
    ...many(300, (n) => change('added', `usr/share/man/${n}`)),
    ...many(2, (n) => change('removed', `usr/share/man/old${n}`)),
    change('modified', 'var/lib/mysql/ibdata'),
    { ...change('added', 'var/log/b'), movedFrom: placeOf('var/log/a') },
    change('metadata', 'var/log/c'),
  ];
}

function many(count: number, make: (n: number) => ChangeRecord): ChangeRecord[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

function change(kind: ChangeKind, path: string): ChangeRecord {
  return { kind, place: placeOf(path), path: path as BytePath, type: 'file', size: 0, sizeBefore: 0 };
}

function renderDiff(...args: Parameters<typeof diffLines>): string {
  return [...diffLines(...args)].join('\n');
}
