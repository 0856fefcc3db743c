/** Much of something, to standard output: the bytes of a file, raw to a pipe and made harmless to a terminal; or text. */

import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';
import { LxcvError } from '../model/errors.js';
import { escapeLines } from '../render/listing.js';

/** A file with a NUL in so many first bytes is no text, as git has it. */
const LOOKED_AT_BYTES = 8000;

/**
 * Writes no faster than who reads. Each piece is good until the next is asked for.
 * @throws LxcvError `bad-usage` for what is no text, on a terminal.
 */
export async function writeBytes(stream: NodeJS.WriteStream, pieces: Iterable<Buffer>): Promise<void> {
  const decoder = stream.isTTY ? new StringDecoder('utf8') : undefined;
  let isFirst = true;
  for (const piece of pieces) {
    if (decoder !== undefined && isFirst && piece.subarray(0, LOOKED_AT_BYTES).includes(0)) throw notForTerminal();
    isFirst = false;
    const wanted = decoder === undefined ? piece : escapeLines(decoder.write(piece));
    await written(stream, wanted);
  }
  if (decoder !== undefined) await written(stream, escapeLines(decoder.end()));
}

/** Writes no faster than who reads: a stream keeps all that it is given. */
export async function writeText(stream: NodeJS.WriteStream, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) if (!stream.write(piece)) await once(stream, 'drain');
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

/** Until the system has them: the buffer is used again. */
function written(stream: NodeJS.WriteStream, bytes: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function notForTerminal(): LxcvError {
  return new LxcvError(
    'bad-usage',
    'the file holds bytes that are no text for a terminal',
    'Send it elsewhere: lxcv show NAME@REV:PATH > FILE',
  );
}
