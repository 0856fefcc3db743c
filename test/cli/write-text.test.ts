import { expect, it } from 'vitest';
import { inPieces } from '../../src/cli/bytes.js';

it('puts lines together in pieces, each whole, and makes none of nothing', () => {
  const lines = Array.from({ length: 20_000 }, (_, line) => `This is line ${line}`);
  const pieces = [...inPieces(lines)];
  expect(pieces.join('')).toBe(`${lines.join('\n')}\n`);
  expect(pieces.length).toBeGreaterThan(3);
  for (const piece of pieces) expect(piece.endsWith('\n')).toBe(true);
  expect([...inPieces([])]).toEqual([]);
  expect([...inPieces([''])]).toEqual(['\n']);
});
