/** What a container holds that its last version does not, told in git's manner. */

import type { BytePath } from '../model/byte-path.js';
import { type ChangeKind, ChangeList, type ChangeRecord, isNameRange, type NameRange } from '../model/changes.js';
import type { PackageFold } from '../model/packages.js';
import { PathIndex } from '../model/path-index.js';
import { type Place, pathOf } from '../model/place.js';
import type { Status } from '../model/results.js';
import { formatCount, formatNumber } from '../model/units.js';
import { escapeName } from './escape.js';
import { renderPackage } from './packages.js';
import { paint, type Role, type Style } from './style.js';

type Part = ChangeRecord | NameRange;

/**
 * Paths stay in their order. What came or went together with a directory is one line, and no group is longer than a
 * screen or so, unless `verbose`.
 */
export function* statusLines(status: Status, style: Style, { verbose = false } = {}): Generator<string> {
  const { version } = status;
  yield* renderHead(status, style);
  let isChanged = false;
  for (const block of changeBlocks(status, style, { verbose })) {
    isChanged = true;
    yield '';
    yield* block;
  }
  if (isChanged) return;
  yield '';
  yield version === null ? 'Nothing to commit yet' : `Nothing changed since @${version.number}`;
}

/** The changes alone, lines for each kind of which there are some; those that a package explains are one line, unless `verbose`. */
export function* changeBlocks(
  { changes, packages }: Pick<Status, 'changes' | 'packages'>,
  style: Style,
  { verbose = false }: { readonly verbose?: boolean } = {},
): Generator<Iterable<string>> {
  if (packages.length > 0) yield packageLines(packages, style, verbose);
  const parts = verbose ? changes.parts : unexplained(changes, packages);
  const byKind = new Map<ChangeKind, Part[]>(GROUPS.flatMap(({ kinds }) => kinds.map((kind) => [kind, []])));
  for (const part of parts) byKind.get(part.kind)?.push(part);
  for (const group of GROUPS) {
    const own = group.kinds.map((kind) => new ChangeList(byKind.get(kind) ?? []));
    if (own.every(({ length }) => length === 0)) continue;
    yield verbose ? everyLine(group, own, style) : groupLines(group, own, style);
  }
}

/** What is no package's. */
function unexplained(changes: ChangeList<ChangeRecord>, packages: readonly PackageFold[]): readonly Part[] {
  if (packages.every(({ paths }) => paths.length === 0)) return changes.parts;
  const folded = new PathIndex<true>();
  for (const { paths } of packages) for (const path of paths) folded.set(path, true);
  return [...changes].filter(({ place }) => folded.get(place) === undefined);
}

function packageLines(packages: readonly PackageFold[], style: Style, verbose: boolean): Iterable<string> {
  const shown = verbose ? packages : packages.slice(0, LINES_MAX);
  const lines = shown.map(
    (change) =>
      `${renderPackage(change, style)}  ${paint(style, 'faint', `(${formatCount(change.paths.length, 'path', 'paths')})`)}`,
  );
  return sectionLines('Packages', packages.length, lines, packages.length - shown.length, style);
}

function* sectionLines(
  title: string,
  count: number,
  lines: Iterable<string>,
  left: number,
  style: Style,
): Generator<string> {
  yield `${paint(style, 'heading', title)} (${formatNumber(count)}):`;
  for (const line of lines) yield `  ${line}`;
  if (left > 0) yield `  ${paint(style, 'faint', `… and ${formatNumber(left)} more (-v shows all)`)}`;
}

interface Group {
  readonly kinds: readonly ChangeKind[];
  readonly title: string;
  readonly role: Role;
}

/** A path to show, and how many more are below it that it stands for. */
interface Line {
  readonly change: Pick<ChangeRecord, 'place' | 'kind' | 'type' | 'typeBefore' | 'movedFrom' | 'movedTo'>;
  readonly inside: number;
  /** The directory did not change as its files did: it stands for so many of them. */
  readonly isCrowd?: true;
}

/** Those that a version counts; what changed in metadata alone comes behind what was modified otherwise. */
const GROUPS: readonly Group[] = [
  { kinds: ['added'], title: 'Added', role: 'added' },
  { kinds: ['modified', 'metadata'], title: 'Modified', role: 'modified' },
  { kinds: ['removed'], title: 'Removed', role: 'removed' },
];

const LINES_MAX = 50;
/** More of one kind than this in one directory are one line. */
const CROWD_FROM = 20;

function renderHead({ container, repository, branch, version, describe, state }: Status, style: Style): string[] {
  const place = branch === null ? 'On no branch' : `On branch ${paint(style, 'branch', branch)}`;
  const origin = repository.toString() === container ? '' : ` of ${repository}`;
  const at =
    version === null
      ? 'before the first version'
      : `version ${paint(style, 'number', `@${version.number}`)} (${paint(style, 'id', version.id.slice(0, 7))})`;
  const name = describe === null ? '' : `, ${paint(style, 'tag', describe)}`;
  const what = state === 'unknown' ? 'in an unknown state' : state;
  return [`${place}${origin}, ${at}${name}`, `Container ${paint(style, 'head', container)} is ${what}`];
}

function groupLines({ title, role }: Group, own: readonly ChangeList<ChangeRecord>[], style: Style): Iterable<string> {
  const lines = own.flatMap(({ parts }) => gatherCrowds(fold(parts)));
  const shown = lines.slice(0, LINES_MAX).map((line) => renderLine(line, role, style));
  const left = lines.slice(LINES_MAX).reduce((paths, { inside, isCrowd }) => paths + inside + (isCrowd ? 0 : 1), 0);
  return sectionLines(title, countOf(own), shown, left, style);
}

/** The same with each path on its line, made when it is asked for: there may be a million. */
function* everyLine({ title, role }: Group, own: readonly ChangeList<ChangeRecord>[], style: Style): Generator<string> {
  yield* sectionLines(title, countOf(own), [], 0, style);
  for (const changes of own) for (const change of changes) yield `  ${renderLine({ change, inside: 0 }, role, style)}`;
}

function countOf(lists: readonly ChangeList<ChangeRecord>[]): number {
  return lists.reduce((sum, { length }) => sum + length, 0);
}

function renderLine({ change, inside, isCrowd }: Line, role: Role, style: Style): string {
  const { place, kind, type, typeBefore, movedFrom, movedTo } = change;
  const path = pathOf(place);
  const name = escapeName((type === 'directory' ? `${path}/` : path) as BytePath);
  const count = isCrowd ? `(${formatNumber(inside)} inside)` : `(and ${formatNumber(inside)} more inside)`;
  const moved =
    movedFrom !== undefined
      ? `(moved from ${escapeName(pathOf(movedFrom))})`
      : movedTo !== undefined
        ? `(moved to ${escapeName(pathOf(movedTo))})`
        : '';
  const was = typeBefore === undefined ? [] : [`(was a ${typeBefore}, is a ${type})`];
  const isMetadata = kind === 'metadata';
  const metadata = isMetadata ? ['(metadata only)'] : [];
  const notes = [...was, ...(inside === 0 ? [] : [count]), ...(moved === '' ? [] : [moved]), ...metadata];
  return [paint(style, isMetadata ? 'metadata' : role, name), ...notes.map((note) => paint(style, 'faint', note))].join(
    '  ',
  );
}

/** In the place of many lines of one directory one that stands for them, where the first of them was. */
function gatherCrowds(lines: readonly Line[]): Line[] {
  const crowds = new Map<Place | undefined, { members: number; paths: number; isTold: boolean }>();
  for (const { change, inside } of lines) {
    const { parent } = change.place;
    const crowd = crowds.get(parent) ?? { members: 0, paths: 0, isTold: false };
    crowds.set(parent, crowd);
    crowd.members += 1;
    crowd.paths += 1 + inside;
  }
  return lines.flatMap((line): Line[] => {
    const { parent } = line.change.place;
    const crowd = crowds.get(parent);
    if (crowd === undefined || crowd.members <= CROWD_FROM || parent?.parent === undefined) return [line];
    if (crowd.isTold) return [];
    crowd.isTold = true;
    return [
      { change: { place: parent, kind: line.change.kind, type: 'directory' }, inside: crowd.paths, isCrowd: true },
    ];
  });
}

/** One line for each change that no directory stands for: one that came or went with all that was in it, which comes next. */
function fold(parts: readonly Part[]): Line[] {
  const lines: { change: ChangeRecord; inside: number }[] = [];
  /** Directories that the last line stands for. */
  let whole = new Set<Place | undefined>();
  for (const part of parts) {
    const last = lines.at(-1);
    const isWhole = part.type === 'directory' && (part.kind === 'added' || part.kind === 'removed');
    if (last !== undefined && whole.has(isNameRange(part) ? part.parent : part.place.parent)) {
      last.inside += isNameRange(part) ? part.names.length : 1;
    } else {
      for (const change of new ChangeList([part])) lines.push({ change, inside: 0 });
      if (isWhole) whole = new Set();
    }
    if (isWhole && !isNameRange(part)) whole.add(part.place);
  }
  return lines;
}
