import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../src/model/results.js';
import type { BranchName, ContainerName, TagName, VersionId } from '../../src/model/version.js';
import { logLines } from '../../src/render/log.js';
import type { Style } from '../../src/render/style.js';
import { exampleVersion } from '../support/version.js';

const TERMINAL: Style = { colour: false, width: 80, now: new Date('2026-03-01T12:00:00.000Z'), human: true };
const PIPE: Style = { ...TERMINAL, human: false };

const HISTORY: readonly LogEntry[] = [
  entry(14, 'h8w2c5r0t6ya', ['b5n7d1f4u0pe'], {
    time: '2026-03-01T11:59:50.000Z',
    message: 'Try MariaDB 11 from the upstream repository, with the old data kept beside it',
    changes: [1204, 391, 17, 684 * 2 ** 20],
    branches: ['tuning'],
    heads: { mysql_tmp: 'tuning' },
  }),
  entry(13, 'k3j9x2a8m1qz', ['b5n7d1f4u0pe'], {
    time: '2026-03-01T11:55:00.000Z',
    message: 'Open port 3306\n\nThe web container asks for it.',
    changes: [0, 1, 0, 770],
    branches: ['mysql', 'keep'],
    heads: { mysql: 'mysql', web: null },
  }),
  entry(2, 'b5n7d1f4u0pe', ['zrme0c161an9'], {
    time: '2026-02-27T09:00:00.000Z',
    message: '',
    changes: [12, 3, 1, 4_404_019],
  }),
  entry(1, 'zrme0c161an9', ['f00f00f00f00'], {
    time: '2025-12-01T12:00:00.000Z',
    message: 'Daten für 日本 \x1b[31m',
    changes: [3, 0, 0, 0],
  }),
];

const MYSQL = 'mysql' as ContainerName;
const renderLog = (entries: readonly LogEntry[], style: Style, form: Parameters<typeof logLines>[2] = {}) =>
  [...logLines(entries, style, { container: MYSQL, ...form })].join('\n');

describe('logLines', () => {
  it('fits what matters into 80 columns', () => {
    expect(renderLog(HISTORY, TERMINAL)).toBe(
      lines(
        '  #  ID       WHEN           MESSAGE',
        '@14  h8w2c5r  just now       (mysql_tmp@HEAD -> tuning) Try MariaDB 11 from the…',
        '@13  k3j9x2a  5 minutes ago  (HEAD -> mysql, web@HEAD, keep) Open port 3306',
        ' @2  b5n7d1f  2 days ago     (no message)',
        String.raw` @1  zrme0c1  2025-12-01     Daten für 日本 \x1b[31m`,
      ),
    );
  });

  it('tells all it knows in 200 columns', () => {
    expect(renderLog(HISTORY.slice(0, 3), { ...TERMINAL, width: 200 })).toBe(
      lines(
        '  #  ID            WHEN           AUTHOR        CHANGES            SIZE  MESSAGE',
        '@14  h8w2c5r0t6ya  just now       Ada Lovelace  +1204 ~391 -17  684 MiB  (mysql_tmp@HEAD -> tuning) Try MariaDB 11 from the upstream repository, with the old data kept beside it',
        '@13  k3j9x2a8m1qz  5 minutes ago  Ada Lovelace  +0 ~1 -0          770 B  (HEAD -> mysql, web@HEAD, keep) Open port 3306',
        ' @2  b5n7d1f4u0pe  2 days ago     Ada Lovelace  +12 ~3 -1       4.2 MiB  (no message)',
      ),
    );
  });

  it('names the authors from 100 columns on', () => {
    expect(renderLog(HISTORY.slice(1, 2), { ...TERMINAL, width: 100 })).toBe(
      lines(
        '  #  ID       WHEN           AUTHOR        MESSAGE',
        '@13  k3j9x2a  5 minutes ago  Ada Lovelace  (HEAD -> mysql, web@HEAD, keep) Open port 3306',
      ),
    );
  });

  it('gives a pipe whole ids, exact times and whole lines', () => {
    expect(renderLog(HISTORY.slice(0, 1), PIPE)).toBe(
      lines(
        '  #  ID            WHEN                  AUTHOR        CHANGES            SIZE  MESSAGE',
        '@14  h8w2c5r0t6ya  2026-03-01 11:59:50Z  Ada Lovelace  +1204 ~391 -17  684 MiB  (mysql_tmp@HEAD -> tuning) Try MariaDB 11 from the upstream repository, with the old data kept beside it',
      ),
    );
  });

  it('draws the graph before the table', () => {
    expect(renderLog(HISTORY, TERMINAL, { graph: true })).toBe(
      lines(
        '       #  ID       WHEN           MESSAGE',
        '*    @14  h8w2c5r  just now       (mysql_tmp@HEAD -> tuning) Try MariaDB 11 fro…',
        '| *  @13  k3j9x2a  5 minutes ago  (HEAD -> mysql, web@HEAD, keep) Open port 3306',
        '|/',
        '*     @2  b5n7d1f  2 days ago     (no message)',
        String.raw`*     @1  zrme0c1  2025-12-01     Daten für 日本 \x1b[31m`,
      ),
    );
  });

  it('takes a line for each version where that is asked for', () => {
    expect(renderLog(HISTORY, TERMINAL, { oneline: true })).toBe(
      lines(
        '@14 h8w2c5r (mysql_tmp@HEAD -> tuning) Try MariaDB 11 from the upstream reposit…',
        '@13 k3j9x2a (HEAD -> mysql, web@HEAD, keep) Open port 3306',
        '@2 b5n7d1f (no message)',
        String.raw`@1 zrme0c1 Daten für 日本 \x1b[31m`,
      ),
    );
  });

  it('draws the graph before such lines as git does', () => {
    const merge = entry(15, 'c0ffee00aa11', ['h8w2c5r0t6ya', 'k3j9x2a8m1qz'], { message: 'Merge mysql' });
    expect(renderLog([merge, ...HISTORY], TERMINAL, { graph: true, oneline: true })).toBe(
      lines(
        '*   @15 c0ffee0 Merge mysql',
        '|\\',
        '* | @14 h8w2c5r (mysql_tmp@HEAD -> tuning) Try MariaDB 11 from the upstream rep…',
        '| * @13 k3j9x2a (HEAD -> mysql, web@HEAD, keep) Open port 3306',
        '|/',
        '* @2 b5n7d1f (no message)',
        String.raw`* @1 zrme0c1 Daten für 日本 \x1b[31m`,
      ),
    );
  });

  it('names no branch with the HEAD of a container whose branch leads elsewhere', () => {
    const behind = entry(3, 'k3j9x2a8m1qz', [], { message: 'Open port 3306', heads: { web: 'mysql' } });
    expect(renderLog([behind], TERMINAL, { oneline: true })).toBe('@3 k3j9x2a (web@HEAD) Open port 3306');
  });

  it('has HEAD for the container that was asked of alone', () => {
    const heads = { mysql: 'mysql', web: 'web' };
    const both = entry(3, 'k3j9x2a8m1qz', [], { message: 'Open port', heads, branches: ['mysql', 'web'] });
    const told = (container: string | undefined) =>
      renderLog([both], PIPE, { oneline: true, container: container as ContainerName | undefined });
    expect(told('mysql')).toBe('@3 k3j9x2a (HEAD -> mysql, web@HEAD -> web) Open port');
    expect(told('web')).toBe('@3 k3j9x2a (HEAD -> web, mysql@HEAD -> mysql) Open port');
    expect(told(undefined)).toBe('@3 k3j9x2a (mysql@HEAD -> mysql, web@HEAD -> web) Open port');
  });

  it('cuts the own HEAD and branch last, however many others there are', () => {
    const heads = { first: 'first', second: 'second', third: 'third', mysql: 'mysql' };
    const crowded = entry(3, 'k3j9x2a8m1qz', [], { message: 'Open', heads, branches: Object.values(heads) });
    expect(renderLog([crowded], { ...TERMINAL, width: 50 }, { oneline: true })).toBe(
      '@3 k3j9x2a (HEAD -> mysql, f…) Open',
    );
    // Its branch may be elsewhere than HEAD.
    const behind = entry(2, 'b5n7d1f4u0pe', [], { message: 'Begin', heads: { mysql: 'tuning' } });
    const tip = entry(3, 'k3j9x2a8m1qz', [], { message: 'Open', heads: { a: 'b' }, branches: ['b', 'tuning'] });
    expect(renderLog([tip, behind], PIPE, { oneline: true })).toMatch(/^@3 k3j9x2a \(tuning, a@HEAD -> b\) Open$/m);
  });

  it('leaves room for the message, however much points at a version', () => {
    const long = 'a-container-with-a-very-long-name-indeed';
    const crowded = entry(3, 'k3j9x2a8m1qz', [], { message: 'Open port 3306', heads: { [long]: null, other: null } });
    expect(renderLog([crowded], TERMINAL, { oneline: true })).toBe(
      '@3 k3j9x2a (a-container-with-a-very-long-nam…) Open port 3306',
    );
    expect(renderLog([crowded], PIPE, { oneline: true })).toBe(`@3 k3j9x2a (${long}@HEAD, other@HEAD) Open port 3306`);
  });

  it('paints numbers, ids, heads, branches and counts', () => {
    const style = { ...TERMINAL, colour: true, width: 200 };
    const painted = entry(3, 'k3j9x2a8m1qz', [], {
      message: 'Open port 3306',
      changes: [2, 1, 0, 770],
      branches: ['mysql', 'keep'],
      heads: { mysql: 'mysql' },
    });
    expect(renderLog([painted], style).split('\n')[1]).toBe(
      [
        '\x1b[1m@3\x1b[22m',
        '\x1b[33mk3j9x2a8m1qz\x1b[39m',
        'just now',
        'Ada Lovelace',
        '\x1b[32m+2\x1b[39m \x1b[33m~1\x1b[39m \x1b[2m-0\x1b[22m',
        '770 B',
        '(\x1b[1m\x1b[36mHEAD\x1b[39m\x1b[22m -> \x1b[1m\x1b[32mmysql\x1b[39m\x1b[22m, \x1b[1m\x1b[32mkeep\x1b[39m\x1b[22m) Open port 3306',
      ].join('  '),
    );
  });

  it('tells which tags are on a version', () => {
    const tagged = [entry(0, 'k3j9x2a8m1qz', [], { message: 'First', branches: ['mysql'], tags: ['v1.0', 'v1'] })];
    expect(renderLog(tagged, TERMINAL, { oneline: true })).toBe('@0 k3j9x2a (mysql, tag: v1.0, tag: v1) First');
  });

  it('is empty without versions', () => {
    expect(renderLog([], TERMINAL)).toBe('');
    expect(renderLog([], TERMINAL, { graph: true, oneline: true })).toBe('');
  });
});

interface EntryOptions {
  readonly message: string;
  readonly time?: string;
  readonly changes?: readonly [added: number, modified: number, removed: number, bytes: number];
  readonly branches?: readonly string[];
  readonly tags?: readonly string[];
  /** The containers whose HEAD it is, with their branches. */
  readonly heads?: Readonly<Record<string, string | null>>;
}

function entry(number: number, id: string, parents: readonly string[], options: EntryOptions): LogEntry {
  const {
    message,
    time = '2026-03-01T12:00:00.000Z',
    changes = [0, 0, 0, 0],
    branches = [],
    tags = [],
    heads = {},
  } = options;
  const [added, modified, removed, bytes] = changes;
  return {
    version: exampleVersion(number, {
      id: id as VersionId,
      message,
      author: { name: 'Ada Lovelace', email: 'ada@example.org' },
      time,
      changes: { added, modified, removed, bytes },
    }),
    parents: parents as readonly VersionId[],
    branches: branches as readonly BranchName[],
    tags: tags as readonly TagName[],
    heads: Object.entries(heads).map(([container, branch]) => ({
      container: container as ContainerName,
      branch: branch as BranchName | null,
    })),
  };
}

function lines(...all: string[]): string {
  return all.join('\n');
}
