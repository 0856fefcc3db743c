/** The branches of a repository, as `git branch -v` shows them. */

import type { BranchName, ContainerName, Version } from '../model/version.js';
import { firstLine } from './escape.js';
import { paint, type Style } from './style.js';
import { type Column, renderTable } from './table.js';

export interface BranchRow {
  readonly name: BranchName;
  readonly version: Version;
  readonly containers: readonly ContainerName[];
}

const COLUMNS: readonly Column[] = [
  { heading: '' },
  { heading: '' },
  { heading: '', align: 'right' },
  { heading: '' },
  { heading: '' },
  { heading: '', flexible: true },
];

/** @param current the branch of the container that was asked for. */
export function renderBranches(
  { branches, current }: { readonly branches: readonly BranchRow[]; readonly current: BranchName | null },
  style: Style,
): string {
  const rows = branches.map(({ name, version, containers }) => [
    name === current ? '*' : '',
    paint(style, 'branch', name),
    paint(style, 'number', `@${version.number}`),
    paint(style, 'id', version.id.slice(0, 7)),
    containers.length === 0 ? '' : `(${containers.map((container) => paint(style, 'head', container)).join(', ')})`,
    firstLine(version.message),
  ]);
  return renderTable(COLUMNS, rows, style);
}
