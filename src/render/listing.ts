/** Paths as `ls -la` tells of them, and the text of files. */

import type { BytePath } from '../model/byte-path.js';
import type { EntryType, NamedPath, PathInfo } from '../model/entry.js';
import { formatInstant } from '../model/timestamp.js';
import { escapeName, escapeText } from './escape.js';
import type { Style } from './style.js';
import { type Column, tableLines } from './table.js';

/** A line each: mode, owner, group, size or device number, time in UTC, name, and where a link leads. Nothing is cut. */
export function renderListing(entries: readonly NamedPath[], style: Style): string {
  return [...tableLines(COLUMNS, entries.map(cellsOf), { ...style, human: false })].join('\n');
}

/** Where a symbolic link leads. */
export function renderTarget(target: string): string {
  return `-> ${escapeName(target as BytePath)}`;
}

/** `drwxr-xr-x`, with setuid, setgid and the sticky bit as ls(1) shows them. */
export function formatMode({ type, mode }: Pick<PathInfo, 'type' | 'mode'>): string {
  const bits = Array.from('rwxrwxrwx', (letter, at) => (mode & (0o400 >> at) ? letter : '-'));
  for (const [bit, at, letter] of SPECIAL) {
    if (mode & bit) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase();
  }
  return `${TYPE_LETTERS[type]}${bits.join('')}`;
}

/** Text of a file for a terminal: lines and tabs stay, every other control character is made visible. */
export function escapeLines(text: string): string {
  return text
    .split('\t')
    .map((part) => escapeText(part, { newlines: true }))
    .join('\t');
}

const COLUMNS: readonly Column[] = [
  { heading: '' },
  { heading: '', align: 'right' },
  { heading: '', align: 'right' },
  { heading: '', align: 'right' },
  { heading: '' },
  { heading: '' },
];

const TYPE_LETTERS: Readonly<Record<EntryType, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  char: 'c',
  block: 'b',
};

const SPECIAL = [
  [0o4000, 2, 's'],
  [0o2000, 5, 's'],
  [0o1000, 8, 't'],
] as const;

function cellsOf({ name, ...info }: NamedPath): string[] {
  const { uid, gid, size, device, target, mtimeNs } = info;
  return [
    formatMode(info),
    String(uid),
    String(gid),
    device === undefined ? String(size) : `${device.major}, ${device.minor}`,
    formatInstant(mtimeNs)
      .replace('T', ' ')
      .replace(/\.\d+Z$/, 'Z'),
    `${escapeName(name)}${target === undefined ? '' : ` ${renderTarget(target)}`}`,
  ];
}
