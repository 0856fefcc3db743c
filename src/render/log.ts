/** The history of a repository: as a table, a line a version, or drawn. */

import type { BranchName, ContainerName, Version } from '../model/version.js';
import { escapeText, firstLine } from './escape.js';
import { layoutGraph } from './graph.js';
import { paint, type Style } from './style.js';
import { type Column, renderTable } from './table.js';
import { formatBytes, formatTime } from './time.js';
import { truncate } from './width.js';

/** A version and what points at it. */
export interface LogRow {
  readonly version: Version;
  /** The branches whose newest version it is. */
  readonly branches: readonly BranchName[];
  /** The containers whose HEAD it is. */
  readonly heads: readonly { readonly container: ContainerName; readonly branch: BranchName | null }[];
}

export interface LogForm {
  readonly graph: boolean;
  readonly oneline: boolean;
}

const COLUMNS: readonly Column[] = [
  { heading: '#', align: 'right' },
  { heading: 'ID' },
  { heading: 'WHEN' },
  { heading: 'AUTHOR', from: 100 },
  { heading: 'CHANGES', from: 120 },
  { heading: 'MESSAGE', flexible: true },
];
const SHORT_ID = 7;

/** @param rows newest first, no version before a child of it. */
export function renderLog(rows: readonly LogRow[], style: Style, { graph, oneline }: LogForm): string {
  if (graph) return renderGraph(rows, style);
  if (oneline) return rows.map((row) => cutToWidth(onelineOf(row, style), style)).join('\n');
  return renderTable(
    COLUMNS,
    rows.map((row) => cellsOf(row, style)),
    style,
  );
}

function renderGraph(rows: readonly LogRow[], style: Style): string {
  const byId = new Map(rows.map((row) => [row.version.id, row]));
  const nodes = rows.map(({ version }) => ({ id: version.id, parents: version.parents.map((parent) => parent.id) }));
  return layoutGraph(nodes)
    .map(({ lanes, id }) => {
      const row = id === undefined ? undefined : byId.get(id);
      return row === undefined ? lanes : cutToWidth(`${lanes}${onelineOf(row, style)}`, style);
    })
    .join('\n');
}

function onelineOf(row: LogRow, style: Style): string {
  const { number, id } = row.version;
  return `${paint(style, 'number', `@${number}`)} ${paint(style, 'id', id.slice(0, SHORT_ID))} ${describe(row, style)}`;
}

function cellsOf(row: LogRow, style: Style): string[] {
  const { number, id, time, author, changes } = row.version;
  const length = !style.human || style.width >= 120 ? id.length : SHORT_ID;
  return [
    paint(style, 'number', `@${number}`),
    paint(style, 'id', id.slice(0, length)),
    formatTime(time, style),
    escapeText(author.name),
    `+${changes.added} ~${changes.modified} -${changes.removed}  ${formatBytes(changes.bytes)}`,
    describe(row, style),
  ];
}

/** What points at the version, in git's manner, and the first line of its message. */
function describe({ version, branches, heads }: LogRow, style: Style): string {
  const onBranch = new Set(heads.map(({ branch }) => branch));
  const names = [
    ...heads.map(({ container, branch }) => headName(container, branch, branches, style)),
    ...branches.filter((branch) => !onBranch.has(branch)).map((branch) => paint(style, 'branch', branch)),
  ];
  const message = firstLine(version.message);
  return names.length === 0 ? message : `(${names.join(', ')}) ${message}`;
}

/** `mysql` for a container at the tip of the branch of its name, `mysql_tmp -> tuning` on another, `mysql: HEAD` on none. */
function headName(
  container: ContainerName,
  branch: BranchName | null,
  tips: readonly BranchName[],
  style: Style,
): string {
  const head = paint(style, 'head', container);
  if (branch === null || !tips.includes(branch)) return `${head}: HEAD`;
  return `${head} -> ${paint(style, 'branch', branch)}`;
}

function cutToWidth(line: string, style: Style): string {
  return style.human ? truncate(line, style.width) : line;
}
