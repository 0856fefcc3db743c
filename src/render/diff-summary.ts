/** A large difference on one screen: what changed, counted by the directories that a person would name. */

import type { BytePath } from '../model/byte-path.js';
import type { ChangeKind, ChangeRecord } from '../model/changes.js';
import { type Place, pathOf, ROOT_PLACE } from '../model/place.js';
import { formatNumber } from '../model/units.js';
import { escapeName } from './escape.js';
import { paint, type Role, type Style } from './style.js';
import { cutStart, displayWidth, truncate } from './width.js';

type Counted = Pick<ChangeRecord, 'place' | 'kind' | 'movedFrom' | 'movedTo'>;

/** A place with all that changed at it and below it. */
interface Branch {
  readonly place: Place;
  readonly children: Branch[];
  /** What changed at the place itself. */
  own: Word | undefined;
  readonly counts: Map<Word, number>;
  total: number;
}

type Word = Exclude<ChangeKind, 'metadata'> | 'moved' | 'metadata only';

/** In the order in which they are told. */
const ROLES: Readonly<Record<Word, Role>> = {
  added: 'added',
  modified: 'modified',
  removed: 'removed',
  moved: 'metadata',
  'metadata only': 'metadata',
};
const WORDS = Object.keys(ROLES) as Word[];
const WORD_OF: Readonly<Record<ChangeKind, Word>> = {
  added: 'added',
  modified: 'modified',
  removed: 'removed',
  metadata: 'metadata only',
};

const HINT = 'Every path: --name-status. More: --stat, --metadata, --packages. A part: -- PATH';
/** The total, a blank line before it and the hint. */
const LINES_AROUND = 3;
const LINES_MIN = 5;
/** Columns between a name and its counts, and those that a name keeps on the narrowest screen. */
const GAP = 2;
const NAME_MIN = 10;

/** Lines, no more than `room` where that is enough for a few; as many directories are opened as fit, those with the most first. */
export function renderSummary(changes: Iterable<Counted>, style: Style, room: number): string[] {
  const root = buildTree(changes);
  const shown = expand(root, Math.max(room - LINES_AROUND, LINES_MIN));
  const counts = shown.map((branch) => renderCounts(branch, style));
  const widest = Math.max(...counts.map(displayWidth));
  // What counts is how much: names give way.
  const most = style.human ? Math.max(style.width - widest - GAP, NAME_MIN) : Number.POSITIVE_INFINITY;
  const names = shown.map((branch) => cutStart(nameOf(branch), most));
  const width = Math.max(...names.map(displayWidth));
  const lines = names.map((name, line) => `${name}${' '.repeat(width - displayWidth(name) + GAP)}${counts[line]}`);
  return [...lines, '', `${renderCounts(root, style)} in all`, paint(style, 'faint', HINT)].map((line) =>
    style.human ? truncate(line, style.width) : line,
  );
}

function buildTree(changes: Iterable<Counted>): Branch {
  const root = branchAt(ROOT_PLACE);
  /** The way to the last one: what changed comes in the order of a walk. */
  const way: Branch[] = [root];
  for (const { place, kind, movedFrom, movedTo } of changes) {
    if (movedTo !== undefined) continue;
    const missing: Place[] = [];
    let part = place;
    for (; way[part.depth]?.place !== part && part.parent !== undefined; part = part.parent) missing.push(part);
    leave(way, part.depth);
    for (const next of missing.reverse()) {
      const branch = branchAt(next);
      way.at(-1)?.children.push(branch);
      way.push(branch);
    }
    const branch = way.at(-1) as Branch;
    branch.own = movedFrom === undefined ? WORD_OF[kind] : 'moved';
    count(branch, branch.own, 1);
  }
  leave(way, 0);
  return root;
}

/** Goes back to where so many names lead, and adds up what was left. */
function leave(way: Branch[], depth: number): void {
  while (way.length > depth + 1) {
    const { counts } = way.pop() as Branch;
    for (const [word, number] of counts) count(way.at(-1) as Branch, word, number);
  }
}

function branchAt(place: Place): Branch {
  return { place, children: [], own: undefined, counts: new Map(), total: 0 };
}

function count(branch: Branch, word: Word, number: number): void {
  branch.counts.set(word, (branch.counts.get(word) ?? 0) + number);
  branch.total += number;
}

/** Opens the fullest directory again and again, as long as there is room for what is in it. */
function expand(root: Branch, room: number): Branch[] {
  let shown = open(root);
  for (;;) {
    const closed = shown.filter(isClosed).sort((a, b) => b.total - a.total);
    const fullest = closed.find((branch) => shown.length - 1 + open(branch).length <= room);
    if (fullest === undefined) return shown;
    shown = shown.flatMap((branch) => (branch === fullest ? open(branch) : [branch]));
  }
}

function isClosed({ children }: Branch): boolean {
  return children.length > 0;
}

/** What a directory holds, and what changed of itself; of directories that hold only one more, that one. */
function open(branch: Branch): Branch[] {
  const own = branch.own === undefined ? [] : [alone(branch.place, branch.own)];
  return [...own, ...branch.children.map(skipSingleChildren)];
}

function skipSingleChildren(branch: Branch): Branch {
  let inner = branch;
  while (inner.own === undefined && inner.children.length === 1) inner = inner.children[0] as Branch;
  return inner;
}

function alone(place: Place, own: Word): Branch {
  return { place, children: [], own, counts: new Map([[own, 1]]), total: 1 };
}

function nameOf(branch: Branch): string {
  if (branch.place.parent === undefined) return '/';
  const path = pathOf(branch.place);
  return escapeName((isClosed(branch) ? `${path}/` : path) as BytePath);
}

function renderCounts(branch: Branch, style: Style): string {
  return WORDS.flatMap((word) => {
    const count = branch.counts.get(word);
    if (count === undefined) return [];
    const one = branch.children.length === 0;
    return [paint(style, ROLES[word], one ? word : `${formatNumber(count)} ${word}`)];
  }).join(', ');
}
