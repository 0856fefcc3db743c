/** One version, as `git show` tells of a commit. */

import type { ShownVersion } from '../model/results.js';
import { formatBytes, formatCount, formatNumber } from '../model/units.js';
import { escapeText } from './escape.js';
import { changeBlocks } from './status.js';
import { paint, type Style } from './style.js';
import { formatTime } from './time.js';

/** What is known of it, its message, and the paths that it changed: folded, unless `verbose`. */
export function* versionLines(shown: ShownVersion, style: Style, { verbose = false } = {}): Generator<string> {
  const { version } = shown;
  const title = `version ${paint(style, 'number', `@${version.number}`)} ${paint(style, 'id', version.id)}`;
  yield title;
  for (const [name, value] of fieldsOf(shown, style)) yield `${`${name}:`.padEnd(NAME_WIDTH)}${value}`;
  const message = escapeText(version.message.trim(), { newlines: true }).replace(/^(?=.)/gm, '    ');
  if (message !== '') yield* ['', ...message.split('\n')];
  for (const block of changeBlocks(shown, style, { verbose })) {
    yield '';
    yield* block;
  }
}

const NAME_WIDTH = 12;

function fieldsOf(shown: ShownVersion, style: Style): [name: string, value: string][] {
  const { version, parents, branches, tags, heads, sealed } = shown;
  const { author, time, container, branch, changes, chain, bases, pause } = version;
  const numbers = parents.map(({ id, number }) => `${paint(style, 'number', `@${number}`)} ${paint(style, 'id', id)}`);
  return [
    ['Repository', version.repository],
    ['Parents', numbers.join(', ') || 'none'],
    ['Author', escapeText(author.email === '' ? author.name : `${author.name} <${author.email}>`)],
    ['Date', formatDate(time, style)],
    ...listed(
      'Branches',
      branches.map((name) => paint(style, 'branch', name)),
    ),
    ...listed(
      'Tags',
      tags.map((name) => paint(style, 'tag', name)),
    ),
    ...listed(
      'HEAD of',
      heads.map((name) => paint(style, 'head', name)),
    ),
    ['Made from', `${container}, then on branch ${branch}`],
    ...listed('Pause', pause === undefined ? [] : [`frozen for ${pause} ms`]),
    [
      'Changes',
      `${formatNumber(changes.added)} added, ${formatNumber(changes.modified)} modified, ` +
        `${formatNumber(changes.removed)} removed; ${formatBytes(changes.bytes)}`,
    ],
    ['Delta', sealed ? 'sealed' : 'not sealed yet'],
    ['Chain', formatCount(chain.length, 'layer', 'layers')],
    ...listed(
      'Bases',
      bases.map(({ path }) => escapeText(path)),
    ),
  ];
}

function listed(name: string, values: readonly string[]): [string, string][] {
  return values.length === 0 ? [] : [[name, values.join(', ')]];
}

function formatDate(time: string, style: Style): string {
  const exact = formatTime(time, { ...style, human: false });
  return style.human ? `${exact} (${formatTime(time, style)})` : exact;
}
