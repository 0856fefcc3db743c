/** Which packages came, went and changed. */

import type { PackageChanges, PackageFold } from '../model/packages.js';
import { formatNumber } from '../model/units.js';
import { escapeText } from './escape.js';
import { paint, type Style } from './style.js';

/** A heading for each package manager, and a line for each package. */
export function packageLines(all: readonly PackageChanges[], style: Style): string[] {
  return all.flatMap((changes, index) => [...(index === 0 ? [] : ['']), ...managerLines(changes, style)]);
}

/** A sign, the name and the version, or both of them. */
export function renderPackage({ name, from, to }: Pick<PackageFold, 'name' | 'from' | 'to'>, style: Style): string {
  if (from === null) return paint(style, 'added', `+ ${escapeText(`${name} ${to}`)}`);
  if (to === null) return paint(style, 'removed', `- ${escapeText(`${name} ${from}`)}`);
  return paint(style, 'modified', `~ ${escapeText(`${name} ${from} -> ${to}`)}`);
}

function managerLines({ manager, installed, removed, upgraded }: PackageChanges, style: Style): string[] {
  const counts = [
    ...countOf(installed, 'installed'),
    ...countOf(removed, 'removed'),
    ...countOf(upgraded, 'upgraded'),
  ].join(', ');
  return [
    `${paint(style, 'heading', `${manager}:`)} ${counts || 'no package differs'}`,
    ...installed.map(({ name, version }) => renderPackage({ name, from: null, to: version }, style)),
    ...removed.map(({ name, version }) => renderPackage({ name, from: version, to: null }, style)),
    ...upgraded.map((upgrade) => renderPackage(upgrade, style)),
  ];
}

function countOf(packages: readonly unknown[], what: string): string[] {
  return packages.length === 0 ? [] : [`${formatNumber(packages.length)} ${what}`];
}
