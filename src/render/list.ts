/** The containers that have versions, and the repositories that no container uses. */

import type { ListedAside, ListedContainer, Listing, UnusedRepository } from '../model/results.js';
import { formatCount } from '../model/units.js';
import { escapeText } from './escape.js';
import { paint, type Style } from './style.js';
import { type Column, renderTable } from './table.js';

export function renderList(listing: Listing, style: Style): string {
  const { setAside, notStarted, troubles } = listing;
  const named = listing.containers.some(({ describe }) => describe !== null);
  const containers = listing.containers.map((row) => containerCells(row, named, style));
  const stopped = notStarted.map(({ name, reason }) => `  ${escapeText(name)}: ${escapeText(reason)}`);
  const repositories = listing.repositories.map((row) => repositoryCells(row));
  if (containers.length + repositories.length + setAside.length + stopped.length === 0) {
    return troubles.length > 0 ? '' : 'No container has versions yet: lxcv commit NAME makes the first.';
  }
  const unused = renderTable(REPOSITORY_COLUMNS, repositories, style);
  const blocks = [
    stopped.length === 0 ? '' : `Stopped by lxcv, and not started again:\n${stopped.join('\n')}`,
    renderTable(containerColumns(named), containers, style),
    unused === '' ? '' : `Repositories that no container uses:\n${unused}`,
    renderAsides(setAside),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function renderAsides(asides: readonly ListedAside[]): string {
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
  { name, repository, branch, version, describe, state, dirty }: ListedContainer,
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

function repositoryCells({ name, versions }: UnusedRepository): string[] {
  return [`  ${name}`, formatCount(versions, 'version', 'versions')];
}
