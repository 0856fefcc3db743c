/** The branches of a repository, as `git branch -v` shows them. */

import type { Branch, Branches } from '../model/results.js';
import type { BranchName } from '../model/version.js';
import { firstLine } from './escape.js';
import { paint, type Style } from './style.js';
import { type Column, renderTable } from './table.js';

/** @param listing `current` is the branch of the container that was asked for: a star marks it, a plus those of others. */
export function renderBranches(listing: Pick<Branches, 'branches' | 'current'>, style: Style): string {
  const rows = listing.branches.map((branch) => cellsOf(branch, listing.current, style));
  return renderTable(COLUMNS, rows, style);
}

const COLUMNS: readonly Column[] = [
  { heading: '' },
  { heading: '', align: 'right' },
  { heading: '' },
  { heading: '' },
  { heading: '', flexible: true },
];

function cellsOf({ name, version, containers }: Branch, current: BranchName | null, style: Style): string[] {
  const mark = name === current ? '*' : containers.length > 0 ? '+' : ' ';
  const users = containers.map((container) => paint(style, 'head', container)).join(', ');
  return [
    `${mark} ${paint(style, 'branch', name)}`,
    paint(style, 'number', `@${version.number}`),
    paint(style, 'id', version.id.slice(0, 7)),
    users === '' ? '' : `(${users})`,
    firstLine(version.message),
  ];
}
