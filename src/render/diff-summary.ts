/** A large difference on one screen: what changed, counted by the directories that a person would name. */

import { formatNumber } from '../model/amount.js';
import type { BytePath } from '../model/byte-path.js';
import type { ChangeKind } from '../model/changes.js';
import { escapeName } from './escape.js';
import { paint, type Role, type Style } from './style.js';
import { cutStart, displayWidth, truncate } from './width.js';

interface Counted {
  readonly path: BytePath;
  readonly kind: ChangeKind;
  readonly movedFrom?: BytePath;
  readonly movedTo?: BytePath;
}

/** A path with all that changed at it and below it. */
interface Branch {
  readonly path: string;
  readonly children: Map<string, Branch>;
  /** What changed at the path itself. */
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
  const root = plant(changes);
  const shown = unfold(root, Math.max(room - LINES_AROUND, LINES_MIN));
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

function plant(changes: Iterable<Counted>): Branch {
  const root = branchAt('');
  for (const { path, kind, movedFrom, movedTo } of changes) {
    if (movedTo !== undefined) continue;
    const word = movedFrom === undefined ? WORD_OF[kind] : 'moved';
    let branch = root;
    count(branch, word);
    for (let end = path === '' ? -1 : 0; end !== -1; ) {
      const next = path.indexOf('/', end + 1);
      const here = next === -1 ? path : path.slice(0, next);
      const name = here.slice(branch.path.length);
      const child: Branch = branch.children.get(name) ?? branchAt(here);
      branch.children.set(name, child);
      branch = child;
      count(branch, word);
      end = next;
    }
    branch.own = word;
  }
  return root;
}

function branchAt(path: string): Branch {
  return { path, children: new Map(), own: undefined, counts: new Map(), total: 0 };
}

function count(branch: Branch, word: Word): void {
  branch.counts.set(word, (branch.counts.get(word) ?? 0) + 1);
  branch.total += 1;
}

/** Opens the fullest directory again and again, as long as there is room for what is in it. */
function unfold(root: Branch, room: number): Branch[] {
  let shown = open(root);
  for (;;) {
    const closed = shown.filter(isClosed).sort((a, b) => b.total - a.total);
    const fullest = closed.find((branch) => shown.length - 1 + open(branch).length <= room);
    if (fullest === undefined) return shown;
    shown = shown.flatMap((branch) => (branch === fullest ? open(branch) : [branch]));
  }
}

function isClosed({ children }: Branch): boolean {
  return children.size > 0;
}

/** What a directory holds, and what changed of itself; of directories that hold only one more, that one. */
function open(branch: Branch): Branch[] {
  const own = branch.own === undefined ? [] : [alone(branch.path, branch.own)];
  return [...own, ...[...branch.children.values()].map(innermost)];
}

function innermost(branch: Branch): Branch {
  let inner = branch;
  while (inner.own === undefined && inner.children.size === 1) inner = [...inner.children.values()][0] as Branch;
  return inner;
}

function alone(path: string, own: Word): Branch {
  return { path, children: new Map(), own, counts: new Map([[own, 1]]), total: 1 };
}

function nameOf(branch: Branch): string {
  if (branch.path === '') return '/';
  return escapeName((isClosed(branch) ? `${branch.path}/` : branch.path) as BytePath);
}

function renderCounts(branch: Branch, style: Style): string {
  return WORDS.flatMap((word) => {
    const count = branch.counts.get(word);
    if (count === undefined) return [];
    const one = branch.children.size === 0;
    return [paint(style, ROLES[word], one ? word : `${formatNumber(count)} ${word}`)];
  }).join(', ');
}
