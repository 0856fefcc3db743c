/** What a container holds that its last version does not, told in git's manner. */

import { formatNumber } from '../model/amount.js';
import type { BytePath } from '../model/byte-path.js';
import type { Change, ChangeKind } from '../model/changes.js';
import type { BranchName, ContainerName, RepositoryName, Version } from '../model/version.js';
import { escapeName } from './escape.js';
import { paint, type Role, type Style } from './style.js';

export interface ContainerStatus {
  readonly container: ContainerName;
  readonly repository: RepositoryName;
  /** null: detached. */
  readonly branch: BranchName | null;
  /** null: before its first version. */
  readonly version: Pick<Version, 'id' | 'number'> | null;
  /** The version's name after the nearest tag. */
  readonly describe: string | null;
  /** LXC's word: `running`, `stopped`, `frozen`. */
  readonly state: string;
  readonly changes: readonly Pick<Change, 'path' | 'kind' | 'type'>[];
}

/**
 * Paths stay in their order. What came or went together with a directory is one line, and no group is longer than a
 * screen or so, unless `verbose`.
 */
export function renderStatus(status: ContainerStatus, style: Style, { verbose = false } = {}): string {
  const groups = GROUPS.map((group) => {
    const changes = status.changes.filter(({ kind }) => kind === group.kind);
    return changes.length === 0 ? '' : renderGroup(group, changes, style, verbose);
  }).filter((text) => text !== '');
  const unchanged =
    status.version === null ? 'Nothing to commit yet' : `Nothing changed since @${status.version.number}`;
  return [renderHead(status, style), ...(groups.length === 0 ? [unchanged] : groups)].join('\n\n');
}

interface Group {
  readonly kind: ChangeKind;
  readonly title: string;
  readonly role: Role;
}

/** A path to show, and how many more are below it that it stands for. */
interface Line {
  readonly change: ContainerStatus['changes'][number];
  readonly inside: number;
}

const GROUPS: readonly Group[] = [
  { kind: 'added', title: 'Added', role: 'added' },
  { kind: 'modified', title: 'Modified', role: 'modified' },
  { kind: 'removed', title: 'Removed', role: 'removed' },
  { kind: 'metadata', title: 'Metadata only', role: 'metadata' },
];

const LINES_MAX = 50;

function renderHead(
  { container, repository, branch, version, describe, state }: ContainerStatus,
  style: Style,
): string {
  const place = branch === null ? 'On no branch' : `On branch ${paint(style, 'branch', branch)}`;
  const origin = repository.toString() === container ? '' : ` of ${repository}`;
  const at =
    version === null
      ? 'before the first version'
      : `version ${paint(style, 'number', `@${version.number}`)} (${paint(style, 'id', version.id.slice(0, 7))})`;
  const name = describe === null ? '' : `, ${paint(style, 'tag', describe)}`;
  return `${place}${origin}, ${at}${name}\nContainer ${paint(style, 'head', container)} is ${state}`;
}

function renderGroup(group: Group, changes: ContainerStatus['changes'], style: Style, verbose: boolean): string {
  const lines = verbose ? changes.map((change) => ({ change, inside: 0 })) : fold(changes);
  const shown = verbose ? lines : lines.slice(0, LINES_MAX);
  const left = lines.slice(shown.length).reduce((paths, { inside }) => paths + 1 + inside, 0);
  return [
    `${paint(style, 'heading', group.title)} (${formatNumber(changes.length)}):`,
    ...shown.map((line) => `  ${renderLine(line, group.role, style)}`),
    ...(left === 0 ? [] : [`  ${paint(style, 'faint', `… and ${formatNumber(left)} more (-v shows all)`)}`]),
  ].join('\n');
}

function renderLine({ change: { path, type }, inside }: Line, role: Role, style: Style): string {
  const name = escapeName((type === 'directory' ? `${path}/` : path) as BytePath);
  const more = inside === 0 ? '' : `  ${paint(style, 'faint', `(and ${formatNumber(inside)} more inside)`)}`;
  return `${paint(style, role, name)}${more}`;
}

/** One line for each change that no directory stands for: one that came or went with all that was in it. */
function fold(changes: ContainerStatus['changes']): Line[] {
  const inside = new Map<string, number>();
  for (const { path, kind, type } of changes) {
    if (type === 'directory' && (kind === 'added' || kind === 'removed')) inside.set(path, 0);
  }
  const shown = changes.filter(({ path }) => {
    const top = highestAncestor(path, inside);
    if (top !== undefined) inside.set(top, (inside.get(top) ?? 0) + 1);
    return top === undefined;
  });
  return shown.map((change) => ({ change, inside: inside.get(change.path) ?? 0 }));
}

/** The highest directory above `path` that is among `directories`. */
function highestAncestor(path: BytePath, directories: ReadonlyMap<string, unknown>): string | undefined {
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    const directory = path.slice(0, end);
    if (directories.has(directory)) return directory;
  }
  return undefined;
}
