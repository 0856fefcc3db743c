/** Which packages came, went and changed. */

import { formatNumber } from '../model/amount.js';
import type { PackageChanges } from '../model/packages.js';
import { escapeText } from './escape.js';
import { paint, type Style } from './style.js';

/** A heading for each package manager, and a line for each package. */
export function renderPackages(all: readonly PackageChanges[], style: Style): string {
  return all.map((changes) => renderManager(changes, style)).join('\n\n');
}

function renderManager({ manager, installed, removed, upgraded }: PackageChanges, style: Style): string {
  const counts = [
    ...countOf(installed, 'installed'),
    ...countOf(removed, 'removed'),
    ...countOf(upgraded, 'upgraded'),
  ].join(', ');
  return [
    `${paint(style, 'heading', `${manager}:`)} ${counts || 'no package differs'}`,
    ...installed.map(({ name, version }) => paint(style, 'added', `+ ${escapeText(`${name} ${version}`)}`)),
    ...removed.map(({ name, version }) => paint(style, 'removed', `- ${escapeText(`${name} ${version}`)}`)),
    ...upgraded.map(({ name, from, to }) => paint(style, 'modified', `~ ${escapeText(`${name} ${from} -> ${to}`)}`)),
  ].join('\n');
}

function countOf(packages: readonly unknown[], what: string): string[] {
  return packages.length === 0 ? [] : [`${formatNumber(packages.length)} ${what}`];
}
