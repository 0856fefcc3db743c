/** The containers that have versions, and the repositories that no container uses. */

import { formatCount } from '../model/units.js';
import type { BranchName, ContainerName, RepositoryName, Version } from '../model/version.js';
import { escapeText } from './escape.js';
import { paint, type Style } from './style.js';
import { type Column, renderTable } from './table.js';

export interface ContainerRow {
  readonly name: ContainerName;
  readonly repository: RepositoryName;
  /** null: detached. */
  readonly branch: BranchName | null;
  /** null: before its first version. */
  readonly version: Pick<Version, 'number'> | null;
  /** The version's name after the nearest tag. */
  readonly describe: string | null;
  /** LXC's word: `running`, `stopped`, `frozen`. */
  readonly state: string;
  /** True where it holds what no version has yet. */
  readonly dirty: boolean | null;
}

/** What a container held that could not become a version. */
export interface AsideRow {
  readonly container: ContainerName;
  readonly path: string;
  readonly reason: string;
}

export interface RepositoryRow {
  readonly name: RepositoryName;
  readonly versions: number;
}

/** @param listing `repositories` are those that no container uses. */
export function renderList(
  listing: {
    readonly containers: readonly ContainerRow[];
    readonly repositories: readonly RepositoryRow[];
    readonly setAside?: readonly AsideRow[];
    readonly notStarted?: readonly { readonly name: ContainerName; readonly reason: string }[];
    /** What is told elsewhere, for it could not be listed. */
    readonly troubles?: readonly unknown[];
  },
  style: Style,
): string {
  const asides = listing.setAside ?? [];
  const named = listing.containers.some(({ describe }) => describe !== null);
  const containers = listing.containers.map((row) => containerCells(row, named, style));
  const stopped = (listing.notStarted ?? []).map(({ name, reason }) => `  ${escapeText(name)}: ${escapeText(reason)}`);
  const repositories = listing.repositories.map((row) => repositoryCells(row));
  if (containers.length + repositories.length + asides.length + stopped.length === 0) {
    return listing.troubles?.length ? '' : 'No container has versions yet: lxcv commit NAME makes the first.';
  }
  const unused = renderTable(REPOSITORY_COLUMNS, repositories, style);
  const blocks = [
    stopped.length === 0 ? '' : `Stopped by lxcv, and not started again:\n${stopped.join('\n')}`,
    renderTable(containerColumns(named), containers, style),
    unused === '' ? '' : `Repositories that no container uses:\n${unused}`,
    renderAsides(asides),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function renderAsides(asides: readonly AsideRow[]): string {
  if (asides.length === 0) return '';
  const lines = asides.map(
    ({ container, path, reason }) => `  ${container}: ${escapeText(path)}\n    ${escapeText(reason)}`,
  );
  return `Set aside, for it cannot become a version:\n${lines.join('\n')}`;
}

/** @param named whether any version has a name after a tag. */
function containerColumns(named: boolean): Column[] {
  return [
    { heading: 'CONTAINER' },
    { heading: 'REPOSITORY', flexible: true },
    { heading: 'BRANCH' },
    { heading: 'VERSION', align: 'right' },
    ...(named ? [{ heading: 'TAG' }] : []),
    { heading: 'STATE' },
    { heading: 'DIRTY' },
  ];
}

const REPOSITORY_COLUMNS: readonly Column[] = [
  { heading: '', flexible: true },
  { heading: '', align: 'right' },
];

function containerCells(
  { name, repository, branch, version, describe, state, dirty }: ContainerRow,
  named: boolean,
  style: Style,
): string[] {
  return [
    paint(style, 'head', name),
    repository,
    branch === null ? paint(style, 'faint', '(detached)') : paint(style, 'branch', branch),
    version === null ? '-' : paint(style, 'number', `@${version.number}`),
    ...(named ? [describe === null ? '' : paint(style, 'tag', describe)] : []),
    paint(style, state === 'running' ? 'running' : 'faint', state),
    dirty === null ? 'unknown' : dirty ? paint(style, 'modified', 'modified') : paint(style, 'faint', 'clean'),
  ];
}

function repositoryCells({ name, versions }: RepositoryRow): string[] {
  return [`  ${name}`, formatCount(versions, 'version', 'versions')];
}
