import { describe, expect, it } from 'vitest';
import type { BytePath } from '../../src/model/byte-path.js';
import type { EntryType } from '../../src/model/entry.js';
import { escapeLines, formatMode, renderTarget } from '../../src/render/listing.js';

describe('a listing', () => {
  it.each<[EntryType, number, string]>([
    ['file', 0o644, '-rw-r--r--'],
    ['directory', 0o1777, 'drwxrwxrwt'],
    ['symlink', 0o777, 'lrwxrwxrwx'],
    ['file', 0o4755, '-rwsr-xr-x'],
    ['file', 0o6644, '-rwSr-Sr--'],
    ['directory', 0o2750, 'drwxr-s---'],
    ['directory', 0o1776, 'drwxrwxrwT'],
    ['fifo', 0, 'p---------'],
    ['socket', 0o600, 'srw-------'],
    ['char', 0o020, 'c----w----'],
    ['block', 0o001, 'b--------x'],
  ])('shows the mode of a %s with %i as ls does', (type, mode, text) => {
    expect(formatMode({ type, mode })).toBe(text);
  });

  it('leaves no control character in where a link leads', () => {
    expect(renderTarget('/etc/passwd' as BytePath)).toBe('-> /etc/passwd');
    expect(renderTarget('/a\x1b[2J\nb' as BytePath)).toBe('-> "/a\\033[2J\\nb"');
  });

  it('leaves lines and tabs in the text of a file, and no other control character', () => {
    expect(escapeLines('a\tb\n\x1b[31mc\r\n')).toBe('a\tb\n\\x1b[31mc\\r\n');
  });
});
