/** What changed in a container since its last version, in git's manner. */

import type { BytePath } from '../model/byte-path.js';
import type { Change, ChangeKind } from '../model/changes.js';
import type { BranchName, ContainerName, Version } from '../model/version.js';
import { escapeName } from './escape.js';
import { paint, type Role, type Style } from './style.js';
import { formatCount, formatNumber } from './time.js';

export interface StatusView {
  readonly container: ContainerName;
  readonly branch: BranchName | null;
  readonly version: Version | null;
  readonly state: string;
  readonly changes: readonly Change[];
}

const GROUPS: readonly (readonly [ChangeKind, string, Role])[] = [
  ['added', 'Added', 'added'],
  ['modified', 'Modified', 'modified'],
  ['removed', 'Removed', 'removed'],
  ['metadata', 'Only mode, owner, time or attributes changed', 'metadata'],
];
const LINES_MAX = 40;

/** @param options `verbose` shows every path; without it, what came or went with a directory is one line. */
export function renderStatus(status: StatusView, style: Style, { verbose = false } = {}): string {
  const { container, branch, version, state, changes } = status;
  const at = version === null ? 'before its first version' : `at ${paint(style, 'number', `@${version.number}`)}`;
  const on = branch === null ? 'on no branch' : `on the branch ${paint(style, 'branch', branch)}`;
  const head = `${paint(style, 'head', container)} is ${state}, ${at}, ${on}`;
  if (changes.length === 0) return `${head}\nNothing changed since.`;
  const groups = GROUPS.flatMap(([kind, title, role]) => {
    const group = changes.filter((change) => change.kind === kind);
    return group.length === 0 ? [] : [renderGroup(group, title, role, style, verbose)];
  });
  return [head, ...groups].join('\n\n');
}

function renderGroup(group: readonly Change[], title: string, role: Role, style: Style, verbose: boolean): string {
  const heading = `${title}, ${formatCount(group.length, 'path', 'paths')}:`;
  const lines = verbose ? group.map((change) => ({ change, inside: 0 })) : fold(group);
  const shown = verbose ? lines : lines.slice(0, LINES_MAX);
  const left = lines.length - shown.length;
  return [
    heading,
    ...shown.map(({ change, inside }) => `  ${paint(style, role, nameOf(change))}${insideOf(inside, style)}`),
    ...(left === 0 ? [] : [`  ${paint(style, 'faint', `and ${formatNumber(left)} more: -v shows all`)}`]),
  ].join('\n');
}

/** Paths that came or went with the directory above them are counted with it. Parents come first in `group`. */
function fold(group: readonly Change[]): { change: Change; inside: number }[] {
  const lines: { change: Change; inside: number }[] = [];
  for (const change of group) {
    const last = lines.at(-1);
    if (last !== undefined && isFolded(last.change, change)) last.inside += 1;
    else lines.push({ change, inside: 0 });
  }
  return lines;
}

function isFolded(above: Change, change: Change): boolean {
  const whole = above.type === 'directory' && (above.kind === 'added' || above.kind === 'removed');
  return whole && change.path.startsWith(`${above.path}/`);
}

function nameOf({ path, type }: Change): string {
  const name = escapeName((path === '' ? '/' : path) as BytePath);
  return type === 'directory' && path !== '' ? `${name}/` : name;
}

function insideOf(count: number, style: Style): string {
  return count === 0 ? '' : paint(style, 'faint', `  and ${formatNumber(count)} inside`);
}
