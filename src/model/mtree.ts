/**
 * Sealed listings as text: mtree(5) with full paths, an entry a line, as FreeBSD, libarchive and go-mtree read it; extended
 * attributes as go-mtree writes them. Law: `decodeEntry(encodeEntry(e))` equals `e`.
 * Sources: mtree(5) of FreeBSD; `writer_set_format_mtree` of libarchive; `xattr` keywords of go-mtree.
 */

import { createHash } from 'node:crypto';
import type { BytePath } from './byte-path.js';
import { type Bytes, piecesOf, portionsOf } from './bytes.js';
import type { Entry, EntryType } from './entry.js';
import { damaged } from './manifest.js';

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

/** What needs no escape in a path or a target: all that no reader of the format takes for something else. */
const UNSAFE = /[^\w./+,:@%^~!-]/g;

/** The listing of a delta as a file, ASCII: a head, an entry a line, and a digest over all of it as the last line. */
export class ListingWriter {
  private readonly hash = createHash('sha256');

  head(): string {
    return this.add(HEAD);
  }

  entry(entry: Entry): string {
    return this.line(encodeEntry(entry));
  }

  /** An entry that was written before, to be taken up again. */
  line(line: string): string {
    return this.add(`${line}\n`);
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
 * The paths of a whole listing, each with its line, in the order in which they were written, made as they are asked for.
 * @throws LxcvError `store-damaged`, before the first of them, where it is not as it was sealed.
 */
export function* decodeLines(bytes: Bytes, where: string): Generator<[path: BytePath, line: string]> {
  const end = Math.max(bytes.size - SEAL_BYTES, 0);
  const hash = createHash('sha256');
  for (const portion of portionsOf(bytes, end)) hash.update(portion);
  const seal = Buffer.alloc(SEAL_BYTES);
  bytes.read(seal, end);
  if (seal.toString('latin1') !== `${SEAL}${hash.digest('hex')}\n`) throw damaged(where, 'the digest over it');
  for (const line of piecesOf(bytes, '\n', end)) {
    if (line !== '' && !line.startsWith('#')) yield [unescapeBytes(line.slice(2, line.indexOf(' '))) as BytePath, line];
  }
}

export function encodeEntry(entry: Entry): string {
  const words = [
    entry.path === '' ? '.' : `./${escapeBytes(entry.path)}`,
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
  if (type === undefined || time === null || !/^\.(\/.|$)/.test(name)) throw damaged(where, `the line ${line}`);
  const [size, digest, target, device] = ['size', 'sha256digest', 'link', 'device'].map((key) => values.get(key));
  const xattrs = [...values].filter(([key]) => key.startsWith('xattr.'));
  return {
    path: unescapeBytes(name.slice(2)) as BytePath,
    type,
    mode: Number.parseInt(values.get('mode') ?? '', 8),
    uid: Number(values.get('uid')),
    gid: Number(values.get('gid')),
    mtimeNs: BigInt(time[1] as string) * 1_000_000_000n + BigInt(time[2] as string),
    ...(size === undefined ? {} : { size: Number(size) }),
    ...(digest === undefined ? {} : { digest }),
    ...(target === undefined ? {} : { target: unescapeBytes(target) }),
    ...(device === undefined ? {} : { rawDevice: BigInt(device) }),
    xattrs: new Map(xattrs.map(([key, value]) => [unescapeBytes(key.slice(6)), Buffer.from(value, 'base64')])),
  };
}

function splitWord(word: string): [key: string, value: string] {
  const at = word.indexOf('=');
  return [word.slice(0, at), word.slice(at + 1)];
}

/** Seconds and nanoseconds since the epoch; before it the seconds are rounded down, as in a timespec. */
function formatTime(ns: bigint): string {
  const rest = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return `${(ns - rest) / 1_000_000_000n}.${rest.toString().padStart(9, '0')}`;
}

/** vis(3)'s octal escapes, a byte each. */
function escapeBytes(bytes: string): string {
  return bytes.replace(UNSAFE, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function unescapeBytes(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
