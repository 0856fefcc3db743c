/** Much of something, to standard output: the bytes of a file, raw to a pipe and made harmless to a terminal; or text. */

import { StringDecoder } from 'node:string_decoder';
import { isTerminal } from '../host/output.js';
import { LxcvError } from '../model/errors.js';
import { escapeLines } from '../render/listing.js';
import { standardOutput } from './output.js';

/** A file with a NUL in so many first bytes is no text, as git has it. */
const LOOKED_AT_BYTES = 8000;

/**
 * Each piece is good until the next is asked for.
 * @throws LxcvError `bad-usage` for what is no text, on a terminal; `output-failed`.
 */
export async function writeBytes(pieces: Iterable<Buffer>): Promise<void> {
  const decoder = isTerminal(1) ? new StringDecoder('utf8') : undefined;
  let isFirst = true;
  for (const piece of pieces) {
    if (decoder !== undefined && isFirst && piece.subarray(0, LOOKED_AT_BYTES).includes(0)) throw notForTerminal();
    isFirst = false;
    await standardOutput.write(decoder === undefined ? piece : escapeLines(decoder.write(piece)));
  }
  if (decoder !== undefined) await standardOutput.write(escapeLines(decoder.end()));
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
    'the file holds bytes that are no text for a terminal',
    'Send it elsewhere: the same command with > FILE behind it.',
  );
}
