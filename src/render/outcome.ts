/** What a commit and a checkout tell when they are done. */

import type { CheckoutOutcome } from '../model/results.js';
import { formatBytes, formatNumber } from '../model/units.js';
import type { ChangeCounts, Version } from '../model/version.js';
import { escapeText, firstLine } from './escape.js';
import { paint, type Style } from './style.js';

/** `[mysql @2 k3j9x2a] message`, and how much it is. */
export function renderCommit(version: Version, style: Style): string {
  const pause = version.pause === undefined ? '' : `, the container was frozen for ${version.pause} ms`;
  return `${tag(version, style)} ${firstLine(version.message)}\n${formatChanges(version.changes)}${pause}\n`;
}

/** Where the container is now, where its uncommitted work went, and the command that goes back to that. */
export function renderCheckout(outcome: CheckoutOutcome, style: Style, back: string | undefined): string {
  const { container, version, branch, saved, setAside } = outcome;
  const number = paint(style, 'number', `@${version.number}`);
  const place =
    branch === null ? 'on no branch; a commit begins one' : `on the branch ${paint(style, 'branch', branch)}`;
  const kept =
    saved === undefined ? '' : `what was not committed is kept as ${tag(saved, style)}; back to it:\n  ${back}\n`;
  const aside =
    setAside === undefined
      ? ''
      : `${escapeText(setAside.reason)}: what was not committed is set aside in ${setAside.path}\n`;
  return `${kept}${aside}${container} is at ${number}, ${place}\n`;
}

/** The same in one line. */
export function describeCheckout({ container, version, saved, setAside }: CheckoutOutcome): string {
  const kept = saved === undefined ? '' : `, and what was not committed is kept as @${saved.number} ${saved.id}`;
  const aside = setAside === undefined ? '' : `, and what was not committed is set aside in ${setAside.path}`;
  return `${container} is at @${version.number}${kept}${aside}`;
}

function tag({ branch, number, id }: Version, style: Style): string {
  return `[${paint(style, 'branch', branch)} ${paint(style, 'number', `@${number}`)} ${paint(style, 'id', id.slice(0, 7))}]`;
}

function formatChanges({ added, modified, removed, bytes }: ChangeCounts): string {
  const paths = `${formatNumber(added)} added, ${formatNumber(modified)} modified, ${formatNumber(removed)} removed`;
  return `${paths}, ${formatBytes(bytes)}`;
}
