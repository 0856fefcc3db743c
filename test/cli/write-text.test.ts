import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { inPieces, writeText } from '../../src/cli/bytes.js';

it('makes no more of a text than the reader takes', async () => {
  let made = 0;
  const ahead: number[] = [];
  let taken = '';
  const reader = new Writable({
    highWaterMark: 10,
    write(chunk, _encoding, done) {
      taken += chunk;
      ahead.push(made * 10 - taken.length);
      setImmediate(done);
    },
  });
  function* pieces() {
    for (made = 1; made <= 100; made += 1) yield `${made}`.padStart(10);
  }
  await writeText(reader as never, pieces());
  await new Promise<void>((resolve) => reader.end(resolve));
  expect(taken).toHaveLength(1000);
  expect(Math.max(...ahead)).toBeLessThanOrEqual(20);
});

it('puts lines together in pieces, each whole, and makes none of nothing', () => {
  const lines = Array.from({ length: 20_000 }, (_, line) => `This is line ${line}`);
  const pieces = [...inPieces(lines)];
  expect(pieces.join('')).toBe(`${lines.join('\n')}\n`);
  expect(pieces.length).toBeGreaterThan(3);
  for (const piece of pieces) expect(piece.endsWith('\n')).toBe(true);
  expect([...inPieces([])]).toEqual([]);
  expect([...inPieces([''])]).toEqual(['\n']);
});
