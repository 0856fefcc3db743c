/** Bytes that are read in portions: of a file that is too large to be held as a whole. */

/** An open file is such bytes. */
export interface Bytes {
  readonly size: number;
  /** Fills `buffer` from `position` on, as far as there is something; returns how many bytes there were. */
  read(buffer: Buffer, position: number): number;
}

const PORTION_BYTES = 1 << 18;

export function readAll(bytes: Bytes): Buffer {
  const all = Buffer.allocUnsafe(bytes.size);
  return all.subarray(0, bytes.read(all, 0));
}

/** The bytes before `end`, which may lie behind the end there was at first, in portions. A portion is good until the next one is asked for. */
export function* portionsOf(bytes: Bytes, end = bytes.size): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(PORTION_BYTES, Math.max(end, 1)));
  for (let position = 0; position < end; ) {
    const read = bytes.read(buffer.subarray(0, Math.min(buffer.length, end - position)), position);
    if (read === 0) return;
    yield buffer.subarray(0, read);
    position += read;
  }
}

/** What ends with `separator`, an ASCII character, without it; each character is one byte. What follows the last one is left out. */
export function* piecesOf(bytes: Bytes, separator: string, end = bytes.size): Generator<string> {
  let begun = '';
  for (const portion of portionsOf(bytes, end)) {
    const pieces = portion.toString('latin1').split(separator);
    pieces[0] = begun + pieces[0];
    begun = pieces.pop() as string;
    yield* pieces;
  }
}
