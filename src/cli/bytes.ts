/** Much of something, to standard output: the bytes of a file, raw to a pipe and made harmless for a terminal; or text. */

import { StringDecoder } from 'node:string_decoder';
import { LxcvError } from '../model/errors.js';
import { escapeLines } from '../render/listing.js';
import { standardOutput } from './output.js';

/** A file with a NUL in so many first bytes is no text, as git has it. */
const LOOKED_AT_BYTES = 8000;

/** Each piece is good until the next is asked for. @throws LxcvError `output-failed`. */
export async function writeBytes(pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) await standardOutput.write(piece);
}

/** A text with nothing in it that a terminal would obey. @throws LxcvError `bad-usage` for what is no text. */
export function* forTerminal(pieces: Iterable<Buffer>): Generator<Buffer> {
  const decoder = new StringDecoder('utf8');
  let isFirst = true;
  for (const piece of pieces) {
    if (isFirst && piece.subarray(0, LOOKED_AT_BYTES).includes(0)) throw notForTerminal();
    isFirst = false;
    yield Buffer.from(escapeLines(decoder.write(piece)));
  }
  yield Buffer.from(escapeLines(decoder.end()));
}

/** Makes no piece before the one before it was written. @throws LxcvError `output-failed`. */
export async function writeText(pieces: Iterable<string> | AsyncIterable<string>): Promise<void> {
  for await (const piece of pieces) await standardOutput.write(piece);
}

const PIECE_CHARACTERS = 1 << 16;

/** Lines, each with its newline, several at once. */
export function* inPieces(lines: Iterable<string>): Generator<string> {
  let piece = '';
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function notForTerminal(): LxcvError {
  return new LxcvError(
    'bad-usage',
    'the file is not text, and standard output is a terminal',
    'Send it elsewhere: the same command with > FILE behind it.',
  );
}
