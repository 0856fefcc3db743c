/** The containers that have versions, and the repositories that no container stands on. */

import type { BranchName, ContainerName, RepositoryName, Version } from '../model/version.js';
import { paint, type Style } from './style.js';
import { type Column, renderTable } from './table.js';
import { formatCount } from './time.js';

export interface ListRow {
  readonly name: ContainerName;
  readonly repository: RepositoryName;
  readonly branch: BranchName | null;
  readonly version: Version | null;
  readonly state: string;
  readonly dirty: boolean;
}

const COLUMNS: readonly Column[] = [
  { heading: 'CONTAINER' },
  { heading: 'VERSION' },
  { heading: 'BRANCH', flexible: true },
  { heading: 'REPOSITORY', from: 70 },
  { heading: 'STATE' },
  { heading: 'CHANGES' },
];

export function renderList(
  listing: {
    readonly containers: readonly ListRow[];
    readonly repositories: readonly { readonly name: RepositoryName; readonly versions: number }[];
  },
  style: Style,
): string {
  const { containers, repositories } = listing;
  if (containers.length === 0 && repositories.length === 0) return 'No container has versions yet.';
  const tables =
    containers.length === 0
      ? []
      : [
          renderTable(
            COLUMNS,
            containers.map((row) => cellsOf(row, style)),
            style,
          ),
        ];
  const unused = repositories.map(({ name, versions }) => `${name}  ${formatCount(versions, 'version', 'versions')}`);
  const rest = unused.length === 0 ? [] : [`Repositories without a container:\n  ${unused.join('\n  ')}`];
  return [...tables, ...rest].join('\n\n');
}

function cellsOf({ name, repository, branch, version, state, dirty }: ListRow, style: Style): string[] {
  return [
    paint(style, 'head', name),
    version === null ? '-' : paint(style, 'number', `@${version.number}`),
    branch === null ? paint(style, 'faint', '(none)') : paint(style, 'branch', branch),
    repository,
    state === 'running' ? paint(style, 'running', state) : state,
    dirty ? paint(style, 'modified', 'uncommitted') : 'none',
  ];
}
