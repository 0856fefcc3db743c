import { describe, expect, it } from 'vitest';
import { escapeOctal, unescapeOctal } from '../../src/model/octal.js';

describe('octal escapes', () => {
  it('bring back each byte that they were made of', () => {
    const bytes = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
    expect(unescapeOctal(bytes.map(escapeOctal).join(''))).toBe(bytes.join(''));
    expect(escapeOctal(' ')).toBe('\\040');
  });

  it('leave what is none as it is', () => {
    expect(unescapeOctal('\\4 \\89a \\12')).toBe('\\4 \\89a \\12');
  });
});
