/** The history of a repository: as a table, as a line for each version, or drawn. */

import type { LogEntry, LogHead } from '../model/results.js';
import { formatBytes } from '../model/units.js';
import type { BranchName, ChangeCounts, ContainerName } from '../model/version.js';
import { escapeText, firstLine } from './escape.js';
import { layoutGraph } from './graph.js';
import { paint, type Style } from './style.js';
import { type Column, tableLines } from './table.js';
import { formatTime } from './time.js';
import { displayWidth, truncate } from './width.js';

interface LogForm {
  readonly graph?: boolean;
  readonly oneline?: boolean;
  /** The container that was asked of: it has HEAD, others have `web@HEAD`. */
  readonly container?: ContainerName | undefined;
}

/**
 * A line for each entry, and those of the graph, made as they are asked for.
 * @param entries newest first, none before a child of it.
 */
export function logLines(
  entries: readonly LogEntry[],
  style: Style,
  { graph = false, oneline = false, container }: LogForm = {},
): Iterable<string> {
  const lines = graph ? draw(entries) : entries.map((entry) => ({ lanes: '', entry }));
  const head = entries.flatMap(({ heads }) => heads).find((each) => each.container === container);
  const describe: Describe = (entry) => describeEntry(entry, style, head);
  return oneline ? onelines(lines, style, describe) : rowLines(lines, style, graph, describe);
}

type Describe = (entry: LogEntry) => string;

function* onelines(lines: readonly Line[], style: Style, describe: Describe): Generator<string> {
  for (const { lanes, entry } of lines) {
    const line = entry === undefined ? lanes : `${lanes}${renderOneline(entry, style, describe)}`;
    yield (style.human ? truncate(line, style.width) : line).trimEnd();
  }
}

/** An entry with the graph before it, or a line of the graph alone. */
interface Line {
  readonly lanes: string;
  readonly entry?: LogEntry | undefined;
}

const LANES: Column = { heading: '' };

const COLUMNS: readonly Column[] = [
  { heading: '#', align: 'right' },
  { heading: 'ID' },
  { heading: 'WHEN' },
  { heading: 'AUTHOR', from: 100 },
  { heading: 'CHANGES', from: 120 },
  { heading: 'SIZE', align: 'right', from: 120 },
  { heading: 'MESSAGE', flexible: true },
];

const SHORT_ID = 7;
const WIDTH_FOR_WHOLE_ID = 120;
/** So much of a terminal's width what points at a version may take, or what a short message leaves: that is to be read too. */
const NAMES_PART = 0.4;
/** Of number, id and time. */
const COLUMNS_BEFORE = 30;

function draw(entries: readonly LogEntry[]): Line[] {
  const byId = new Map(entries.map((entry) => [entry.version.id, entry]));
  const nodes = entries.map(({ version: { id }, parents }) => ({ id, parents }));
  return layoutGraph(nodes).map(({ lanes, id }) => ({ lanes, entry: id && byId.get(id) }));
}

function rowLines(lines: readonly Line[], style: Style, graph: boolean, describe: Describe): Iterable<string> {
  const rows = lines.map(({ lanes, entry }) => {
    const cells = entry === undefined ? [] : cellsOf(entry, style, describe);
    return graph ? [lanes.trimEnd(), ...cells] : cells;
  });
  return tableLines(graph ? [LANES, ...COLUMNS] : COLUMNS, rows, style);
}

function cellsOf(entry: LogEntry, style: Style, describe: Describe): string[] {
  const { version } = entry;
  const { number, id, time, author, changes } = version;
  const whole = !style.human || style.width >= WIDTH_FOR_WHOLE_ID;
  return [
    paint(style, 'number', `@${number}`),
    paint(style, 'id', whole ? id : id.slice(0, SHORT_ID)),
    formatTime(time, style),
    escapeText(author.name),
    renderCounts(changes, style),
    formatBytes(changes.bytes),
    describe(entry),
  ];
}

function renderCounts({ added, modified, removed }: ChangeCounts, style: Style): string {
  const more = paint(style, added === 0 ? 'faint' : 'added', `+${added}`);
  const other = paint(style, modified === 0 ? 'faint' : 'modified', `~${modified}`);
  const less = paint(style, removed === 0 ? 'faint' : 'removed', `-${removed}`);
  return `${more} ${other} ${less}`;
}

function renderOneline(entry: LogEntry, style: Style, describe: Describe): string {
  const { number, id } = entry.version;
  const name = `${paint(style, 'number', `@${number}`)} ${paint(style, 'id', id.slice(0, SHORT_ID))}`;
  return `${name} ${describe(entry)}`;
}

/** What points at the version, in git's manner, and the first line of its message. */
function describeEntry(entry: LogEntry, style: Style, asked: LogHead | undefined): string {
  const { branches, tags } = entry;
  // What was asked of stands first: where there is no room, the end is cut.
  const heads = firstOf(entry.heads, ({ container }) => container === asked?.container);
  const message = firstLine(entry.version.message) || paint(style, 'faint', '(no message)');
  // Nothing points at most of them.
  if (branches.length + tags.length + heads.length === 0) return message;
  const held = new Set(heads.map(({ branch }) => branch));
  const others = branches.filter((branch) => !held.has(branch));
  const own = others.filter((branch) => branch === asked?.branch);
  const names = [
    ...own.map((branch) => paint(style, 'branch', branch)),
    ...heads.map((head) => renderHead(head, branches, style, asked)),
    ...others.filter((branch) => !own.includes(branch)).map((branch) => paint(style, 'branch', branch)),
    ...tags.map((tag) => paint(style, 'tag', `tag: ${tag}`)),
  ].join(', ');
  const left = style.width - COLUMNS_BEFORE - displayWidth(message);
  const room = Math.max(Math.floor(style.width * NAMES_PART), left) - '() '.length;
  return `(${style.human ? truncate(names, room) : names}) ${message}`;
}

function firstOf<T>(all: readonly T[], isFirst: (each: T) => boolean): T[] {
  return [...all.filter(isFirst), ...all.filter((each) => !isFirst(each))];
}

/** `HEAD -> mysql` for the container that was asked of, `web@HEAD -> tuning` for another, `web@HEAD` on no branch. */
function renderHead(
  { container, branch }: LogHead,
  branches: readonly BranchName[],
  style: Style,
  asked: LogHead | undefined,
): string {
  const head = paint(style, 'head', container === asked?.container ? 'HEAD' : `${container}@HEAD`);
  if (branch === null || !branches.includes(branch)) return head;
  return `${head} -> ${paint(style, 'branch', branch)}`;
}
