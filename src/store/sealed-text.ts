/**
 * Files that spare reading others, and can always be made again: a first line that names the format, lines, and at the end the
 * digest of all before it. One that is cut short or damaged counts as missing, so none need be durable.
 */

import { createHash } from 'node:crypto';
import { type Files, type FilesRead, isErrno } from '../host/files.js';
import { partialFor } from './layout.js';

/** A million versions take less. */
const BYTES_MAX = 1 << 28;

/**
 * The lines of the file at `path`, each with its newline and a character a byte.
 * @returns none where the file is missing, cut short, damaged, too large or of another format than `head`, a line.
 */
export function readSealed(files: FilesRead, path: string, head: string): string {
  const stat = files.stat(path);
  const isRead = stat?.type === 'file' && stat.size <= BYTES_MAX;
  const bytes = (isRead ? files.readIfPresent(path, BYTES_MAX) : undefined) ?? Buffer.alloc(0);
  const end = bytes.lastIndexOf('\n', -2) + 1;
  const isWhole =
    bytes.subarray(0, head.length).equals(Buffer.from(head)) &&
    bytes.toString('latin1', end) === seal(bytes.subarray(0, end));
  return isWhole ? bytes.toString('latin1', head.length, end) : '';
}

/** Where each line begins, by its first word. */
export function indexLines(text: string): Map<string, number> {
  const index = new Map<string, number>();
  for (let start = 0; start < text.length; start = text.indexOf('\n', start) + 1) {
    index.set(text.slice(start, text.indexOf(' ', start)), start);
  }
  return index;
}

/** Writes such a file, in one rename. Nothing is lost where that cannot be: on a read-only store, say. */
export function writeSealed(files: Files, path: string, head: string, lines: string): void {
  const text = Buffer.from(`${head}${lines}`, 'latin1');
  const partial = partialFor(path);
  try {
    if (files.stat(partial) !== undefined) files.unlink(partial);
    files.create(partial, Buffer.concat([text, Buffer.from(seal(text))]), 0o600);
    files.rename(partial, path);
  } catch (error) {
    if (!isErrno(error, 'EROFS', 'ENOSPC', 'EDQUOT', 'EEXIST', 'ENOENT', 'EISDIR', 'ENOTEMPTY', 'EIO')) throw error;
  }
}

function seal(content: Uint8Array): string {
  return `${createHash('sha256').update(content).digest('hex')}\n`;
}
