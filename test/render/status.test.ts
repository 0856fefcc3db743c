import { describe, expect, it } from 'vitest';
import type { BytePath } from '../../src/model/byte-path.js';
import { type ChangeKind, ChangeList, type ChangeRecord } from '../../src/model/changes.js';
import type { EntryType } from '../../src/model/entry.js';
import type { Status } from '../../src/model/results.js';
import type { BranchName, ContainerName, RepositoryName, VersionId } from '../../src/model/version.js';
import { statusLines } from '../../src/render/status.js';
import type { Style } from '../../src/render/style.js';
import { placeOf } from '../support/place.js';
import { exampleVersion } from '../support/version.js';

const TERMINAL: Style = { colour: false, width: 80, now: new Date(0), human: true };

const CLEAN: TestStatus = {
  container: 'mysql' as ContainerName,
  repository: 'mysql' as RepositoryName,
  branch: 'mysql' as BranchName,
  version: exampleVersion(3, { id: 'k3j9x2a8m1qz' as VersionId }),
  refs: [],
  describe: null,
  state: 'running',
  changes: [],
  packages: [],
};

describe('renderStatus', () => {
  it('says where the container is and that nothing changed', () => {
    expect(renderStatus(CLEAN, TERMINAL)).toBe(
      lines('On branch mysql, version @3 (k3j9x2a)', 'Container mysql is running', '', 'Nothing changed since @3'),
    );
  });

  it('tells many of one kind in one directory in one line, and where a moved file was', () => {
    const crowd = Array.from({ length: 20_000 }, (_, index) => change('added', `srv/data/${index}`));
    const moved = { ...change('added', 'etc/new'), movedFrom: placeOf('etc/old') };
    const gone = { ...change('removed', 'etc/old'), movedTo: placeOf('etc/new') };
    const shown = renderStatus({ ...CLEAN, changes: [moved, ...crowd, gone] }, TERMINAL);
    expect(shown.split('\n').slice(3)).toEqual([
      'Added (20,001):',
      '  etc/new  (moved from etc/old)',
      '  srv/data/  (20,000 inside)',
      '',
      'Removed (1):',
      '  etc/old  (moved to etc/new)',
    ]);
    expect(renderStatus({ ...CLEAN, changes: crowd }, TERMINAL, { verbose: true })).toContain('srv/data/19999');
  });

  it('tells what a package changed in one line, unless every path is asked for', () => {
    const status = {
      ...CLEAN,
      changes: [change('modified', 'etc/a.conf'), change('added', 'usr/bin/a'), change('modified', 'usr/lib/b')],
      packages: [
        { manager: 'dpkg' as const, name: 'a', from: null, to: '1', paths: ['usr/bin/a' as BytePath] },
        { manager: 'dpkg' as const, name: 'b', from: '1', to: '2', paths: ['usr/lib/b' as BytePath] },
        { manager: 'dpkg' as const, name: 'c\x1b[31m', from: '7', to: null, paths: [] },
      ],
    };
    const packages = [
      'Packages (3):',
      '  + a 1  (1 path)',
      '  ~ b 1 -> 2  (1 path)',
      '  - c\\x1b[31m 7  (0 paths)',
      '',
    ];
    const shown = renderStatus(status, TERMINAL).split('\n').slice(3);
    expect(shown).toEqual([...packages, 'Modified (1):', '  etc/a.conf']);
    expect(renderStatus(status, TERMINAL, { verbose: true }).split('\n').slice(3)).toEqual([
      ...packages,
      ...['Added (1):', '  usr/bin/a', '', 'Modified (2):', '  etc/a.conf', '  usr/lib/b'],
    ]);
  });

  it('names the version after its nearest tag', () => {
    expect(renderStatus({ ...CLEAN, describe: 'v1.0-2' }, TERMINAL)).toContain('version @3 (k3j9x2a), v1.0-2\n');
  });

  it('groups what changed, in the order of git, and escapes names', () => {
    const changes = [
      change('metadata', '', 'directory'),
      change('modified', 'etc/mysql/my.cnf'),
      change('added', 'etc/mysql/conf.d/tuning.cnf'),
      change('metadata', 'etc/shadow'),
      change('removed', 'root/new\nline'),
      change('added', 'srv', 'directory'),
      change('modified', 'usr/bin/mysql', 'symlink'),
    ];
    expect(renderStatus({ ...CLEAN, changes }, TERMINAL)).toBe(
      lines(
        'On branch mysql, version @3 (k3j9x2a)',
        'Container mysql is running',
        '',
        'Added (2):',
        '  etc/mysql/conf.d/tuning.cnf',
        '  srv/',
        '',
        'Modified (4):',
        '  etc/mysql/my.cnf',
        '  usr/bin/mysql',
        '  /  (metadata only)',
        '  etc/shadow  (metadata only)',
        '',
        'Removed (1):',
        String.raw`  "root/new\nline"`,
      ),
    );
  });

  it('folds what came or went with a directory into one line', () => {
    const changes = [
      change('added', 'srv/www', 'directory'),
      change('added', 'srv/www/css', 'directory'),
      ...Array.from({ length: 1233 }, (_, page) => change('added', `srv/www/css/${page}.css`)),
      change('added', 'srv/www-old'),
      change('removed', 'var/cache/apt', 'directory'),
      change('removed', 'var/cache/apt/pkgcache.bin'),
    ];
    expect(groupsOf(changes)).toBe(
      lines(
        'Added (1,236):',
        '  srv/www/  (and 1,234 more inside)',
        '  srv/www-old',
        '',
        'Removed (2):',
        '  var/cache/apt/  (and 1 more inside)',
      ),
    );
  });

  it('shows what changed in a directory that was there before', () => {
    const changes = [
      change('modified', 'etc', 'directory'),
      change('modified', 'etc/hosts'),
      change('metadata', 'srv', 'directory'),
      change('added', 'srv/data'),
    ];
    expect(groupsOf(changes)).toBe(
      lines(
        ...['Added (1):', '  srv/data', ''],
        ...['Modified (3):', '  etc/', '  etc/hosts', '  srv/  (metadata only)'],
      ),
    );
  });

  it('shows no more than 50 lines of a group, and counts every path that it does not show', () => {
    const changes = [
      ...Array.from({ length: 60 }, (_, file) => change('added', `a${file}`)),
      change('added', 'z', 'directory'),
      change('added', 'z/inside'),
    ];
    const shown = groupsOf(changes).split('\n');
    expect(shown).toHaveLength(52);
    expect(shown.slice(-2)).toEqual(['  a49', '  … and 12 more (-v shows all)']);
  });

  it('folds what listings tell as it does what is told one by one', () => {
    const listed = (kind: 'added' | 'removed', parent: string, ...names: string[]) =>
      ({ kind, parent: placeOf(parent), type: 'file', names: names as BytePath[] }) as const;
    const changes = [
      change('modified', 'a'),
      listed('added', 'a', 'x', 'y'),
      change('added', 'z', 'directory'),
      listed('added', 'z', '1', '2'),
      change('added', 'z/3', 'directory'),
      listed('added', 'z/3', '1'),
      listed('added', 'z', '4'),
      listed('added', 'zz', '1'),
      change('removed', 'w', 'directory'),
      listed('removed', 'w', '1'),
    ];
    const folded = lines(
      ...['Added (9):', '  a/x', '  a/y', '  z/  (and 5 more inside)', '  zz/1', ''],
      ...['Modified (1):', '  a', '', 'Removed (2):', '  w/  (and 1 more inside)'],
    );
    expect(groupsOf(changes)).toBe(folded);
    expect(groupsOf([...new ChangeList(changes)])).toBe(folded);
    expect(groupsOf(changes, { verbose: true })).toContain(
      lines('  z/', '  z/1', '  z/2', '  z/3/', '  z/3/1', '  z/4'),
    );
  });

  it('shows every path where it is asked to', () => {
    const changes = [
      change('added', 'z', 'directory'),
      ...Array.from({ length: 60 }, (_, file) => change('added', `z/${file}`)),
    ];
    const shown = groupsOf(changes, { verbose: true }).split('\n');
    expect(shown).toHaveLength(62);
    expect(shown.slice(0, 3)).toEqual(['Added (61):', '  z/', '  z/0']);
    expect(shown.at(-1)).toBe('  z/59');
  });

  it('names the repository of a container that was checked out from another', () => {
    const status = {
      ...CLEAN,
      container: 'mysql_tmp' as ContainerName,
      branch: 'tuning' as BranchName,
      state: 'stopped' as const,
    };
    expect(headOf(status)).toEqual([
      'On branch tuning of mysql, version @3 (k3j9x2a)',
      'Container mysql_tmp is stopped',
    ]);
  });

  it('tells a detached container', () => {
    expect(headOf({ ...CLEAN, branch: null })[0]).toBe('On no branch, version @3 (k3j9x2a)');
  });

  it('tells a container before its first version', () => {
    expect(renderStatus({ ...CLEAN, version: null }, TERMINAL)).toBe(
      lines('On branch mysql, before the first version', 'Container mysql is running', '', 'Nothing to commit yet'),
    );
  });

  it('paints a path by what happened to it', () => {
    const status = { ...CLEAN, changes: [change('removed', 'etc/motd')] };
    expect(renderStatus(status, { ...TERMINAL, colour: true })).toContain(
      '\x1b[1mRemoved\x1b[22m (1):\n  \x1b[31metc/motd\x1b[39m',
    );
  });
});

interface TestStatus extends Omit<Status, 'changes'> {
  readonly changes: Status['changes']['parts'];
}

function change(kind: ChangeKind, path: string, type: EntryType = 'file'): ChangeRecord {
  return { kind, place: placeOf(path), path: path as BytePath, type, size: 0, sizeBefore: 0 };
}

function headOf(status: TestStatus): string[] {
  return renderStatus(status, TERMINAL).split('\n').slice(0, 2);
}

function groupsOf(changes: TestStatus['changes'], options?: { verbose: boolean }): string {
  return renderStatus({ ...CLEAN, changes }, TERMINAL, options)
    .split('\n')
    .slice(3)
    .join('\n');
}

function lines(...all: string[]): string {
  return all.join('\n');
}

function renderStatus({ changes, ...rest }: TestStatus, style: Style, options?: { verbose: boolean }): string {
  return [...statusLines({ ...rest, changes: new ChangeList(changes) }, style, options)].join('\n');
}
