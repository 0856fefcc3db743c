import { describe, expect, it } from 'vitest';
import type { BranchName, ContainerName, RepositoryName } from '../../src/model/version.js';
import { type ContainerRow, renderList } from '../../src/render/list.js';
import type { Style } from '../../src/render/style.js';

const TERMINAL: Style = { colour: false, width: 80, now: new Date(0), human: true };

const CONTAINERS: readonly ContainerRow[] = [
  container('mysql', { version: { number: 3 }, state: 'running', dirty: true }),
  container('mysql_tmp', { repository: 'mysql', branch: 'tuning', version: { number: 14 } }),
  container('web', { repository: 'mysql', branch: null, version: { number: 3 }, state: 'frozen' }),
  container('fresh', { version: null, dirty: true }),
];
const UNUSED = [
  { name: 'old_web' as RepositoryName, versions: 1234 },
  { name: 'scratch' as RepositoryName, versions: 1 },
];

describe('renderList', () => {
  it('shows where each container is, and what no container uses', () => {
    expect(renderList({ containers: CONTAINERS, repositories: UNUSED }, TERMINAL)).toBe(
      lines(
        'CONTAINER  REPOSITORY  BRANCH      VERSION  STATE    DIRTY',
        'mysql      mysql       mysql            @3  running  modified',
        'mysql_tmp  mysql       tuning          @14  stopped  clean',
        'web        mysql       (detached)       @3  frozen   clean',
        'fresh      fresh       fresh             -  stopped  modified',
        '',
        'Repositories that no container uses:',
        '  old_web  1,234 versions',
        '  scratch       1 version',
      ),
    );
  });

  it('names versions after their nearest tags, where there are any', () => {
    const tagged = container('mysql', { version: { number: 3 }, describe: 'v1.0-2' });
    expect(renderList({ containers: [tagged, container('web', {})], repositories: [] }, TERMINAL)).toBe(
      lines(
        'CONTAINER  REPOSITORY  BRANCH  VERSION  TAG     STATE    DIRTY',
        'mysql      mysql       mysql        @3  v1.0-2  stopped  clean',
        'web        web         web           -          stopped  clean',
      ),
    );
  });

  it('leaves out the block that would be empty', () => {
    expect(renderList({ containers: CONTAINERS.slice(0, 1), repositories: [] }, TERMINAL)).toBe(
      lines(
        'CONTAINER  REPOSITORY  BRANCH  VERSION  STATE    DIRTY',
        'mysql      mysql       mysql        @3  running  modified',
      ),
    );
    expect(renderList({ containers: [], repositories: UNUSED }, TERMINAL)).toBe(
      lines('Repositories that no container uses:', '  old_web  1,234 versions', '  scratch       1 version'),
    );
  });

  it('cuts a long name of a repository before anything else', () => {
    const long = container('mysql', {
      repository: 'warehouse-of-the-northern-branch-office-of-2019',
      version: { number: 3 },
    });
    expect(renderList({ containers: [long], repositories: [] }, TERMINAL)).toBe(
      lines(
        'CONTAINER  REPOSITORY                            BRANCH  VERSION  STATE    DIRTY',
        'mysql      warehouse-of-the-northern-branch-of…  mysql        @3  stopped  clean',
      ),
    );
  });

  it('says how to begin where there is nothing', () => {
    expect(renderList({ containers: [], repositories: [] }, TERMINAL)).toBe(
      'No container has versions yet: lxcv commit NAME makes the first.',
    );
  });

  it('does not say so where something could not be listed', () => {
    expect(renderList({ containers: [], repositories: [], troubles: [{}] }, TERMINAL)).toBe('');
  });
});

interface Options extends Partial<Omit<ContainerRow, 'repository' | 'branch'>> {
  readonly repository?: string;
  readonly branch?: string | null;
}

function container(name: string, { repository = name, branch = name, ...rest }: Options): ContainerRow {
  return {
    name: name as ContainerName,
    repository: repository as RepositoryName,
    branch: branch as BranchName | null,
    version: null,
    describe: null,
    state: 'stopped',
    dirty: false,
    ...rest,
  };
}

function lines(...all: string[]): string {
  return all.join('\n');
}
