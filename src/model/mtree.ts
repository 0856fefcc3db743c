/**
 * Sealed listings as text: mtree(5) with names, an entry a line, as FreeBSD, libarchive and go-mtree read it; extended
 * attributes as go-mtree writes them. A directory is entered by its line, and left by a line `..`: so a line is no longer than
 * what it tells, however deep that lies. Law: `decodeEntry(encodeEntry(e))` equals `e`.
 * Sources: mtree(5) of FreeBSD; `writer_set_format_mtree` of libarchive; `xattr` keywords of go-mtree.
 */

import { createHash } from 'node:crypto';
import { type BytePath, ROOT } from './byte-path.js';
import { type Bytes, piecesOf, portionsOf } from './bytes.js';
import type { Entry, EntryType } from './entry.js';
import { damaged } from './manifest.js';
import { escapeOctal, unescapeOctal } from './octal.js';
import { type Place, PlaceReader } from './place.js';
import { joinNs, splitNs } from './timestamp.js';

const HEAD = '#mtree v2.0\n';
const SEAL = '# sha256:';
const SEAL_BYTES = SEAL.length + 64 + 1;
const TYPE_WORDS: Readonly<Record<EntryType, string>> = {
  file: 'file',
  directory: 'dir',
  symlink: 'link',
  fifo: 'fifo',
  socket: 'socket',
  char: 'char',
  block: 'block',
};
const TYPES = new Map(Object.entries(TYPE_WORDS).map(([type, word]) => [word, type as EntryType]));

/** The line that leaves a directory. */
const UP = '..';

/** What needs no escape in a name or a target: all that no reader of the format takes for something else. */
const UNSAFE = /[^\w./+,:@%^~!-]/g;

/** The listing of a delta as a file, ASCII: a head, an entry a line, and a digest over all of it as the last line. */
export class ListingWriter {
  private readonly hash = createHash('sha256');
  /** How many names lead to what is listed next. */
  private depth = 0;

  head(): string {
    return this.add(HEAD);
  }

  /** What is to be written of an entry, and of the ways up that lead to it. Entries come in the order of a walk. */
  entry(depth: number, entry: Entry): string {
    const ups = `${UP}\n`.repeat(this.depth - depth);
    this.depth = entry.type === 'directory' ? depth + 1 : depth;
    return this.add(`${ups}${encodeEntry(entry)}\n`);
  }

  /** A line that was written before, to be taken up again: `undefined` where it is none. */
  line(line: string): 'entry' | 'up' | undefined {
    const isUp = line === UP;
    if (isUp ? this.depth < 2 : !isEntry(line) || line.startsWith('. ') !== (this.depth === 0)) return undefined;
    if (isUp) this.depth -= 1;
    else if (isDirectory(line)) this.depth += 1;
    this.add(`${line}\n`);
    return isUp ? 'up' : 'entry';
  }

  /** The last line. Nothing can be added after it. */
  seal(): string {
    return `${SEAL}${this.hash.digest('hex')}\n`;
  }

  private add(text: string): string {
    this.hash.update(text);
    return text;
  }
}

/**
 * The places of a whole listing, each with its line, in the order in which they were written, made as they are asked for.
 * @throws LxcvError `store-damaged`, before the first of them, where it is not as it was sealed.
 */
export function* decodeLines(bytes: Bytes, where: string): Generator<[place: Place, line: string]> {
  const end = Math.max(bytes.size - SEAL_BYTES, 0);
  const hash = createHash('sha256');
  for (const portion of portionsOf(bytes, end)) hash.update(portion);
  const seal = Buffer.alloc(SEAL_BYTES);
  bytes.read(seal, end);
  if (seal.toString('latin1') !== `${SEAL}${hash.digest('hex')}\n`) throw damaged(where, 'the digest over it');
  const places = new PlaceReader();
  let depth = 0;
  for (const line of piecesOf(bytes, '\n', end)) {
    if (line === UP) depth -= 1;
    if (line === UP || line === '' || line.startsWith('#')) continue;
    const place = places.read(depth, decodeName(line.slice(0, line.indexOf(' '))));
    if (place === undefined) throw damaged(where, `the line ${line}`);
    yield [place, line];
    if (isDirectory(line)) depth += 1;
  }
}

export function encodeEntry(entry: Entry): string {
  const words = [
    entry.name === ROOT ? '.' : escapeBytes(entry.name),
    `type=${TYPE_WORDS[entry.type]}`,
    `mode=${entry.mode.toString(8).padStart(4, '0')}`,
    `uid=${entry.uid}`,
    `gid=${entry.gid}`,
    `time=${formatTime(entry.mtimeNs)}`,
  ];
  if (entry.size !== undefined) words.push(`size=${entry.size}`);
  if (entry.digest !== undefined) words.push(`sha256digest=${entry.digest}`);
  if (entry.target !== undefined) words.push(`link=${escapeBytes(entry.target)}`);
  if (entry.rawDevice !== undefined) words.push(`device=0x${entry.rawDevice.toString(16)}`);
  for (const [name, value] of entry.xattrs) words.push(`xattr.${escapeBytes(name)}=${value.toString('base64')}`);
  return words.join(' ');
}

/** @param where names the file in the error. @throws LxcvError `store-damaged`. */
export function decodeEntry(line: string, where: string): Entry {
  const [name = '', ...words] = line.split(' ');
  const values = new Map(words.map(splitWord));
  const type = TYPES.get(values.get('type') ?? '');
  const time = /^(-?\d+)\.(\d{9})$/.exec(values.get('time') ?? '');
  if (type === undefined || time === null || !isName(name)) throw damaged(where, `the line ${line}`);
  const size = values.get('size');
  const target = values.get('link');
  const device = values.get('device');
  const xattrs = [...values].filter(([key]) => key.startsWith('xattr.'));
  return {
    name: decodeName(name),
    type,
    mode: Number.parseInt(values.get('mode') ?? '', 8),
    uid: Number(values.get('uid')),
    gid: Number(values.get('gid')),
    mtimeNs: joinNs(BigInt(time[1] as string), BigInt(time[2] as string)),
    size: size === undefined ? undefined : Number(size),
    digest: values.get('sha256digest'),
    target: target === undefined ? undefined : unescapeBytes(target),
    rawDevice: device === undefined ? undefined : BigInt(device),
    xattrs: new Map(xattrs.map(([key, value]) => [unescapeBytes(key.slice(6)), Buffer.from(value, 'base64')])),
  };
}

/** True of what encodes a name: a power cut can leave anything where something was written. */
function isName(text: string): boolean {
  return text !== '' && text !== UP && !text.includes('/');
}

function decodeName(text: string): BytePath {
  return text === '.' ? ROOT : (unescapeBytes(text) as BytePath);
}

function isDirectory(line: string): boolean {
  return line.startsWith(`type=${TYPE_WORDS.directory} `, line.indexOf(' ') + 1);
}

function isEntry(line: string): boolean {
  try {
    decodeEntry(line, '');
    return true;
  } catch {
    return false;
  }
}

function splitWord(word: string): [key: string, value: string] {
  const at = word.indexOf('=');
  return [word.slice(0, at), word.slice(at + 1)];
}

/** Seconds and nanoseconds since the epoch; before it the seconds are rounded down, as in a timespec. */
function formatTime(ns: bigint): string {
  const { seconds, nanoseconds } = splitNs(ns);
  return `${seconds}.${nanoseconds.toString().padStart(9, '0')}`;
}

/** vis(3)'s octal escapes, a byte each. */
function escapeBytes(bytes: string): string {
  return bytes.replace(UNSAFE, escapeOctal);
}

function unescapeBytes(text: string): string {
  return text.includes('\\') ? unescapeOctal(text) : text;
}
