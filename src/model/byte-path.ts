/**
 * Paths inside a root file system. Linux names are bytes, not text, so a path is kept as a string in which each character
 * stands for one byte (latin1): it compares, sorts and serves as a map key as the bytes would, and no name is lost.
 */

import { escapeOctal, unescapeOctal } from './octal.js';

declare const bytePath: unique symbol;

/** A path relative to a tree's root without a leading slash; `''` is the root itself. Each character is one byte. */
export type BytePath = string & { readonly [bytePath]: true };

/** The root of a tree. */
export const ROOT = '' as BytePath;

// biome-ignore lint/suspicious/noControlCharactersInRegex: names may hold any.
const ASCII = /^[\x00-\x7f]*$/;

/** The path whose bytes these are. */
export function decodePath(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as BytePath;
}

/** The bytes of a path; `decodePath(encodePath(p)) === p`. */
export function encodePath(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** The path of `name` in the directory `parent`. */
export function joinPath(parent: BytePath, name: BytePath): BytePath {
  return (parent === '' ? name : `${parent}/${name}`) as BytePath;
}

/** True of a directory itself, and of all that is below it. */
export function isWithin(directory: BytePath, path: BytePath): boolean {
  return directory === ROOT || path === directory || path.startsWith(`${directory}/`);
}

/** The path as text: UTF-8 where it is, U+FFFD for every byte that is not. Not fit for a terminal: see `escapeName`. */
export function pathToText(path: BytePath): string {
  return bytesToText(path);
}

/** A path in a container for a message, from the root: in C's quotes, as `diff` has it, where it is not UTF-8. */
export function tellPath(path: BytePath): string {
  return isUtf8(path) ? `/${pathToText(path)}` : quoteBytes(`/${path}`);
}

const QUOTED = /[^ !#-[\]-~]/g;

/** Bytes, a character each, in C's quotes: `"caf\351"`, with an octal escape for all that is not plain. */
export function quoteBytes(bytes: string): string {
  return `"${bytes.replace(QUOTED, escapeOctal)}"`;
}

const ESCAPE = /\\(?:([0-3][0-7]{2})|([abtnvfr"\\]))/g;
const QUOTED_WHOLE = /^"(?:[^"\\]|\\(?:[0-3][0-7]{2}|[abtnvfr"\\]))*"$/;
const LETTERS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
};

/** What stands in C's quotes, bytes of a character each; undefined for what is not quoted. */
export function unquoteBytes(bytes: string): string | undefined {
  if (!QUOTED_WHOLE.test(bytes)) return undefined;
  return bytes
    .slice(1, -1)
    .replace(ESCAPE, (escaped, octal: string | undefined, letter: string) =>
      octal === undefined ? (LETTERS[letter] ?? letter) : unescapeOctal(escaped),
    );
}

/**
 * Arguments as text. Bytes that are not UTF-8 are lone surrogates there, U+DC80 to U+DCFF, as Python's surrogateescape has it: text
 * has none of its own. `encodeArgument(decodeArgument(bytes))` are the bytes.
 */
export function decodeArgument(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return text.replace(UTF8_CHARACTER, (character) =>
    character.length === 1 && character >= '\x80'
      ? String.fromCharCode(SURROGATE + character.charCodeAt(0))
      : bytesToText(character),
  );
}

/** The bytes of an argument, a character each. */
export function encodeArgument(argument: string): string {
  return argument.replace(/[\ud800-\udbff][\udc00-\udfff]|[\x80-\uffff]/g, (character) => {
    const code = character.charCodeAt(0);
    const isByte = code >= 0xdc80 && code <= 0xdcff;
    return isByte ? String.fromCharCode(code - SURROGATE) : Buffer.from(character, 'utf8').toString('latin1');
  });
}

/** True for an argument that holds bytes that are not UTF-8. */
export function hasOddBytes(argument: string): boolean {
  return /\p{Cs}/u.test(argument);
}

const SURROGATE = 0xdc00;

/** The bytes of one well-formed UTF-8 character (Unicode, table 3-7), or else one byte. */
export const UTF8_CHARACTER =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\s\S]/g;

/** The same of any bytes that are kept a character each. */
export function bytesToText(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

export function isAscii(bytes: string): boolean {
  return ASCII.test(bytes);
}

/** True where `pathToText` loses nothing. */
export function isUtf8(path: BytePath): boolean {
  const bytes = encodePath(path);
  return bytes.equals(Buffer.from(bytes.toString('utf8'), 'utf8'));
}
