/** What differs of modes, owners, times and extended attributes. */

import type { BytePath } from '../model/byte-path.js';
import { formatCapabilities } from '../model/capability.js';
import type { Attributes, ChangeRecord } from '../model/changes.js';
import type { EntryType } from '../model/entry.js';
import { PlaceMap } from '../model/place.js';
import { formatAcl } from '../model/posix-acl.js';
import { formatInstant } from '../model/timestamp.js';
import { renderLetter, showPaths, withoutOrigins } from './diff.js';
import { escapeName, escapeText } from './escape.js';
import { paint, type Style } from './style.js';
import { truncate } from './width.js';

/** A line a path, and below it one for each attribute that changed; of what came or went, those that it has. */
export function* metadataLines(changes: Iterable<ChangeRecord>, style: Style): Generator<string> {
  const origins = new PlaceMap<ChangeRecord>();
  for (const change of changes) if (change.movedTo !== undefined) origins.set(change.place, change);
  const cut = (line: string) => (style.human ? truncate(line, style.width) : line);
  for (const change of withoutOrigins(changes)) {
    const { movedFrom, type, typeBefore, after } = change;
    const before = movedFrom === undefined ? change.before : origins.get(movedFrom)?.before;
    yield cut(`${renderLetter(change, style)} ${showPaths(change)}`);
    if (typeBefore !== undefined) yield cut(`    ${fromTo('type', typeBefore, type, style)}`);
    for (const line of renderAttributes(type, before, after, style)) yield cut(line);
  }
}

function renderAttributes(
  type: EntryType,
  before: Attributes | undefined,
  after: Attributes | undefined,
  style: Style,
): string[] {
  const both = before !== undefined && after !== undefined;
  const was = textsOf(type, before, both);
  const is = textsOf(type, after, both);
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((label) => {
    const old = was.get(label);
    const now = is.get(label);
    if (old === now) return [];
    const texts = [
      ...(before === undefined ? [] : [paint(style, 'removed', old ?? 'none')]),
      ...(after === undefined ? [] : [paint(style, 'added', now ?? 'none')]),
    ];
    return [`    ${label} ${texts.join(' -> ')}`];
  });
}

function fromTo(label: string, before: string, after: string, style: Style): string {
  return `${label} ${paint(style, 'removed', before)} -> ${paint(style, 'added', after)}`;
}

/** Text by label. The time of a directory follows from what happens inside, and that of what came or went says nothing. */
function textsOf(type: EntryType, attributes: Attributes | undefined, timed: boolean): Map<string, string> {
  if (attributes === undefined) return new Map();
  const { mode, uid, gid, mtimeNs, xattrs } = attributes;
  return new Map([
    ['mode', formatMode(mode)],
    ['owner', `${uid}:${gid}`],
    ...(timed && type !== 'directory' ? [['mtime', formatInstant(mtimeNs)] as const] : []),
    ...[...xattrs].map(([name, value]) => [labelOf(name), formatXattr(name, value)] as const),
  ]);
}

/** `rwsr-xr-t`, as ls(1) has it. */
function formatMode(mode: number): string {
  const triple = (shift: number, special: number, [on, off]: readonly [string, string]) => {
    const bits = (mode >> shift) & 7;
    const execute = mode & special ? (bits & 1 ? on : off) : bits & 1 ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${execute}`;
  };
  return `${triple(6, 0o4000, ['s', 'S'])}${triple(3, 0o2000, ['s', 'S'])}${triple(0, 0o1000, ['t', 'T'])}`;
}

const ACCESS_ACL = 'system.posix_acl_access';
const DEFAULT_ACL = 'system.posix_acl_default';
const CAPABILITY = 'security.capability';
const LABELS = new Map([
  [ACCESS_ACL, 'ACL'],
  [DEFAULT_ACL, 'default ACL'],
  [CAPABILITY, 'capabilities'],
]);

function labelOf(name: string): string {
  return LABELS.get(name) ?? `xattr ${escapeName(name as BytePath)}`;
}

function formatXattr(name: string, value: Buffer): string {
  const decoded =
    name === CAPABILITY ? formatCapabilities(value) : LABELS.has(name) ? formatAcl(value) : formatText(value);
  return decoded ?? `0x${value.toString('hex')}`;
}

/** In double quotes where it is text, which may end with the NUL of C. */
function formatText(value: Buffer): string | undefined {
  const text = value.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(value) || BINARY.test(text)) return undefined;
  return `"${escapeText(text.replace(/["\\]/g, '\\$&'))}"`;
}

/** Controls but for blanks, and a NUL at the end. */
const BINARY = /(?![\t\n\r]|\0$)\p{Cc}/u;
