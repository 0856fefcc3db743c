import { describe, expect, it } from 'vitest';
import type { Branch } from '../../src/model/results.js';
import type { BranchName, ContainerName, VersionId } from '../../src/model/version.js';
import { renderBranches } from '../../src/render/branch.js';
import type { Style } from '../../src/render/style.js';
import { exampleVersion } from '../support/version.js';

const TERMINAL: Style = { colour: false, width: 80, now: new Date(0), human: true };

const BRANCHES: readonly Branch[] = [
  branch('mysql', 3, 'k3j9x2a8m1qz', 'Open port 3306\n\nThe web container asks for it.', ['mysql']),
  branch('tuning', 14, 'h8w2c5r0t6ya', 'Try MariaDB 11 from the upstream repository', ['mysql_tmp', 'web']),
  branch('keep', 3, 'k3j9x2a8m1qz', 'Open port 3306', []),
];

describe('renderBranches', () => {
  it('marks the current branch with a star and those of other containers with a plus', () => {
    expect(renderBranches({ branches: BRANCHES, current: 'mysql' as BranchName }, TERMINAL)).toBe(
      lines(
        '* mysql    @3  k3j9x2a  (mysql)           Open port 3306',
        '+ tuning  @14  h8w2c5r  (mysql_tmp, web)  Try MariaDB 11 from the upstream repo…',
        '  keep     @3  k3j9x2a                    Open port 3306',
      ),
    );
  });

  it('marks no branch as current for a repository', () => {
    expect(renderBranches({ branches: BRANCHES.slice(0, 1), current: null }, TERMINAL)).toBe(
      '+ mysql  @3  k3j9x2a  (mysql)  Open port 3306',
    );
  });

  it('is empty without branches', () => {
    expect(renderBranches({ branches: [], current: null }, TERMINAL)).toBe('');
  });
});

function branch(name: string, number: number, id: string, message: string, containers: readonly string[]): Branch {
  return {
    name: name as BranchName,
    version: exampleVersion(number, { id: id as VersionId, message }),
    refs: [],
    containers: containers as readonly ContainerName[],
  };
}

function lines(...all: string[]): string {
  return all.join('\n');
}
