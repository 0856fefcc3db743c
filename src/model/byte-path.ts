/**
 * Paths inside a root file system. Linux names are bytes, not text, so a path is kept as a string in which each character
 * stands for one byte (latin1): it compares, sorts and serves as a map key as the bytes would, and no name is lost.
 */

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

/** The same path, as one piece of memory: V8 keeps what was joined as its parts, which a million paths take twice the room for. */
export function compactPath(path: BytePath): BytePath {
  // To be asked for a character is what makes V8 put them together.
  path.charCodeAt(0);
  return path;
}

/** The path as text: UTF-8 where it is, U+FFFD for every byte that is not. Not fit for a terminal: see `escapeName`. */
export function pathToText(path: BytePath): string {
  return bytesToText(path);
}

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
