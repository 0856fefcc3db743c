/**
 * What comes from inside a container or from a manifest, made fit for a terminal: no byte of it can move the cursor,
 * reorder a line or hide in it.
 */

import { type BytePath, bytesToText, UTF8_CHARACTER } from '../model/byte-path.js';
import { escapeOctal } from '../model/octal.js';

/**
 * A name as a person sees it: as it is where all of it can be seen, else in double quotes with C escapes, as git's
 * core.quotePath quotes: `"a\nb\303\050"`. Octal escapes stand for bytes. Injective: no two names look the same.
 * The root, whose path is empty, stays empty.
 */
export function escapeName(path: BytePath): string {
  if (SURELY_PLAIN.test(path)) return path;
  let plain = !EDGE_SPACE.test(path);
  const shown = path.replace(UTF8_CHARACTER, (bytes) => {
    const escaped = escapeCharacter(bytes);
    plain &&= escaped === undefined;
    return escaped ?? bytesToText(bytes);
  });
  return plain ? shown : `"${shown}"`;
}

/**
 * Free text, as messages and the names of authors, with a visible escape (`\x1b`, `\u{202e}`) for each character that
 * would not show as itself. Line feeds stay where `newlines` is true. Not injective: a backslash stays a backslash.
 */
export function escapeText(text: string, { newlines = false } = {}): string {
  if (PRINTABLE.test(text)) return text;
  return text.replace(unsafeInText(), (character) => {
    if (character === '\n' && newlines) return character;
    return C_ESCAPES.get(character) ?? escapeCodePoint(character.codePointAt(0) ?? 0);
  });
}

/** Text of a container's, with a visible escape, `\xe9`, for each byte that is not UTF-8. To be escaped further for a terminal. */
export function showOddBytes(text: Buffer): string {
  const shown = text.toString('utf8');
  if (!shown.includes('\ufffd')) return shown;
  return text.toString('latin1').replace(UTF8_CHARACTER, (bytes) => {
    const isOdd = bytes.length === 1 && bytes >= '\x80';
    return isOdd ? escapeCodePoint(bytes.charCodeAt(0)) : bytesToText(bytes);
  });
}

/** The first line of a message, fit for one line of output. */
export function firstLine(message: string): string {
  const text = message.trimStart();
  const end = text.indexOf('\n');
  return escapeText((end < 0 ? text : text.slice(0, end)).trimEnd());
}

const PRINTABLE = /^[ -~]*$/;
const SURELY_PLAIN = /^(?! )[ !#-[\]-~]*(?<! )$/;

/** A space that could not be seen. */
const EDGE_SPACE = /^ | $/;

/**
 * Controls, format characters (all that reorders text among them), separators of lines, and what has no glyph.
 * As the next one it is made when it is needed: to look up the properties takes V8 half a millisecond.
 */
const unsafeInName = () => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** As in names, and lone surrogates; but scripts and emoji need the joiners and the variation selectors. */
const unsafeInText = () => /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const C_ESCAPES = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\v', '\\v'],
  ['\f', '\\f'],
  ['\r', '\\r'],
]);

/** How the character of these bytes is written inside quotes, or undefined where it stands for itself. */
function escapeCharacter(bytes: string): string | undefined {
  if (bytes === '"' || bytes === '\\') return `\\${bytes}`;
  const malformed = bytes.length === 1 && bytes >= '\x80';
  if (!malformed && !unsafeInName().test(bytesToText(bytes))) return undefined;
  return C_ESCAPES.get(bytes) ?? Array.from(bytes, escapeOctal).join('');
}

function escapeCodePoint(codePoint: number): string {
  const hex = codePoint.toString(16);
  return codePoint < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
}
