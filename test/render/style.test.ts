import { describe, expect, it } from 'vitest';
import { paint, type Style } from '../../src/render/style.js';

const PAINTED: Style = { colour: true, width: 80, now: new Date(0), human: true };

describe('paint', () => {
  it('wraps text in the colours of its role and closes them', () => {
    expect(paint(PAINTED, 'id', 'k3j9x2a')).toBe('\x1b[33mk3j9x2a\x1b[39m');
    expect(paint(PAINTED, 'head', 'HEAD')).toBe('\x1b[1m\x1b[36mHEAD\x1b[39m\x1b[22m');
  });

  it('leaves text alone where the style has no colour', () => {
    expect(paint({ ...PAINTED, colour: false }, 'id', 'k3j9x2a')).toBe('k3j9x2a');
  });

  it('puts no colours around nothing', () => {
    expect(paint(PAINTED, 'id', '')).toBe('');
  });

  it('asks neither the environment nor standard output', () => {
    const { NO_COLOR, FORCE_COLOR } = process.env;
    try {
      process.env.NO_COLOR = '1';
      process.env.FORCE_COLOR = '0';
      expect(paint(PAINTED, 'added', '+1')).toBe('\x1b[32m+1\x1b[39m');
    } finally {
      restore('NO_COLOR', NO_COLOR);
      restore('FORCE_COLOR', FORCE_COLOR);
    }
  });
});

function restore(variable: string, value: string | undefined): void {
  if (value === undefined) delete process.env[variable];
  else process.env[variable] = value;
}
