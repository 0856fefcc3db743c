import { describe, expect, it } from 'vitest';
import type { ListedContainer, Listing } from '../../src/model/results.js';
import type { BranchName, ContainerName, RepositoryName } from '../../src/model/version.js';
import { renderList } from '../../src/render/list.js';
import type { Style } from '../../src/render/style.js';
import { exampleVersion } from '../support/version.js';

const TERMINAL: Style = { colour: false, width: 80, now: new Date(0), human: true };

const CONTAINERS: readonly ListedContainer[] = [
  container('mysql', { version: exampleVersion(3), state: 'running', dirty: true }),
  container('mysql_tmp', { repository: 'mysql', branch: 'tuning', version: exampleVersion(14) }),
  container('web', { repository: 'mysql', branch: null, version: exampleVersion(3), state: 'frozen' }),
  container('fresh', { version: null, dirty: true }),
];
const UNUSED = [
  { name: 'old_web' as RepositoryName, versions: 1234 },
  { name: 'scratch' as RepositoryName, versions: 1 },
];

describe('renderList', () => {
  it('shows where each container is, and what no container uses', () => {
    expect(renderListing({ containers: CONTAINERS, repositories: UNUSED }, TERMINAL)).toBe(
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
    const tagged = container('mysql', { version: exampleVersion(3), describe: 'v1.0-2' });
    expect(renderListing({ containers: [tagged, container('web', {})], repositories: [] }, TERMINAL)).toBe(
      lines(
        'CONTAINER  REPOSITORY  BRANCH  VERSION  TAG     STATE    DIRTY',
        'mysql      mysql       mysql        @3  v1.0-2  stopped  clean',
        'web        web         web           -          stopped  clean',
      ),
    );
  });

  it('leaves out the block that would be empty', () => {
    expect(renderListing({ containers: CONTAINERS.slice(0, 1), repositories: [] }, TERMINAL)).toBe(
      lines(
        'CONTAINER  REPOSITORY  BRANCH  VERSION  STATE    DIRTY',
        'mysql      mysql       mysql        @3  running  modified',
      ),
    );
    expect(renderListing({ containers: [], repositories: UNUSED }, TERMINAL)).toBe(
      lines('Repositories that no container uses:', '  old_web  1,234 versions', '  scratch       1 version'),
    );
  });

  it('cuts a long name of a repository before anything else', () => {
    const long = container('mysql', {
      repository: 'warehouse-of-the-northern-branch-office-of-2019',
      version: exampleVersion(3),
    });
    expect(renderListing({ containers: [long], repositories: [] }, TERMINAL)).toBe(
      lines(
        'CONTAINER  REPOSITORY                            BRANCH  VERSION  STATE    DIRTY',
        'mysql      warehouse-of-the-northern-branch-of…  mysql        @3  stopped  clean',
      ),
    );
  });

  it('says how to begin where there is nothing', () => {
    expect(renderListing({ containers: [], repositories: [] }, TERMINAL)).toBe(
      'No container has versions yet: lxcv commit NAME makes the first.',
    );
  });

  it('does not say so where something could not be listed', () => {
    const trouble = { repository: 'mysql' as RepositoryName, container: null, error: new Error('damaged') };
    expect(renderListing({ containers: [], repositories: [], troubles: [trouble] }, TERMINAL)).toBe('');
  });
});

function renderListing(listing: Pick<Listing, 'containers' | 'repositories'> & Partial<Listing>, style: Style): string {
  return renderList({ setAside: [], notStarted: [], troubles: [], ...listing }, style);
}

interface Options extends Partial<Omit<ListedContainer, 'repository' | 'branch'>> {
  readonly repository?: string;
  readonly branch?: string | null;
}

function container(name: string, { repository = name, branch = name, ...rest }: Options): ListedContainer {
  return {
    name: name as ContainerName,
    repository: repository as RepositoryName,
    branch: branch as BranchName | null,
    version: null,
    refs: [],
    describe: null,
    state: 'stopped',
    dirty: false,
    ...rest,
  };
}

function lines(...all: string[]): string {
  return all.join('\n');
}
