/** One version, as `git show` tells of a commit. */

import type { ChangeList } from '../model/changes.js';
import { formatBytes, formatCount, formatNumber } from '../model/units.js';
import type { BranchName, ContainerName, TagName, Version } from '../model/version.js';
import { escapeText } from './escape.js';
import type { PackageFold } from './packages.js';
import { changeBlocks, type ShownChange } from './status.js';
import { paint, type Style } from './style.js';
import { formatTime } from './time.js';

export interface VersionToShow {
  readonly version: Version;
  readonly parents: readonly Pick<Version, 'id' | 'number'>[];
  readonly branches: readonly BranchName[];
  readonly tags: readonly TagName[];
  /** The containers whose HEAD it is. */
  readonly heads: readonly ContainerName[];
  readonly sealed: boolean;
  readonly changes: ChangeList<ShownChange>;
  /** With those of the changes that are theirs. */
  readonly packages: readonly PackageFold[];
}

/** What is known of it, its message, and the paths that it changed: folded, unless `verbose`. */
export function* versionLines(shown: VersionToShow, style: Style, { verbose = false } = {}): Generator<string> {
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

function fieldsOf(shown: VersionToShow, style: Style): [name: string, value: string][] {
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
    ...listed('Pause', pause === undefined ? [] : [`stood still for ${pause} ms`]),
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
