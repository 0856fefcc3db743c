import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BytePath, decodePath } from '../../src/model/byte-path.js';
import { escapeName, escapeText, firstLine } from '../../src/render/escape.js';

describe('escapeName', () => {
  it.each([
    ['etc/mysql/my.cnf', 'etc/mysql/my.cnf'],
    ['two words', 'two words'],
    ['straße/日本語', 'straße/日本語'],
    ['new\nline\tand tab', String.raw`"new\nline\tand tab"`],
    ['say "hi"', String.raw`"say \"hi\""`],
    [String.raw`back\slash`, String.raw`"back\\slash"`],
    ['\x1b[2J\x07\x7f', String.raw`"\033[2J\a\177"`],
    ['c1 control \u009b', String.raw`"c1 control \302\233"`],
    ['reversed \u202egnp.exe', String.raw`"reversed \342\200\256gnp.exe"`],
    ['zero\u200bwidth', String.raw`"zero\342\200\213width"`],
    ['line\u2028separator', String.raw`"line\342\200\250separator"`],
    ['no glyph \u3164', String.raw`"no glyph \343\205\244"`],
    ['blank at the end ', '"blank at the end "'],
    ['', ''],
  ])('shows %j as %s', (name, shown) => {
    expect(escapeName(pathOf(name))).toBe(shown);
  });

  it.each([
    ['a byte that begins nothing', [0x61, 0xff], String.raw`"a\377"`],
    ['a character that is cut short', [0x61, 0x0a, 0x62, 0xc3, 0x28], String.raw`"a\nb\303("`],
    ['an overlong slash', [0xc0, 0xaf], String.raw`"\300\257"`],
    ['a surrogate', [0xed, 0xa0, 0x80], String.raw`"\355\240\200"`],
    ['what lies beyond Unicode', [0xf4, 0x90, 0x80, 0x80], String.raw`"\364\220\200\200"`],
  ])('writes %s in octal', (_, bytes, shown) => {
    expect(escapeName(decodePath(Uint8Array.from(bytes)))).toBe(shown);
  });

  it('lets every name be read back, so that no two look the same', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(unquote(escapeName(name))).toBe(name);
      }),
    );
  });

  it('never lets a character through that a terminal obeys', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(escapeName(name)).not.toMatch(OBEYED);
      }),
    );
  });
});

describe('escapeText', () => {
  it('keeps what can be read, backslashes too', () => {
    const text = String.raw`Füge C:\Daten hinzu 👩‍💻 می‌خواهم`;
    expect(escapeText(text)).toBe(text);
  });

  it('shows what would steer the terminal', () => {
    expect(escapeText('\x1b[31mred\x07 \u009b \u202egnp')).toBe(String.raw`\x1b[31mred\a \x9b \u{202e}gnp`);
  });

  it('shows half a character, of which UTF-8 knows none', () => {
    expect(escapeText('a\ud83d')).toBe(String.raw`a\u{d83d}`);
  });

  it('keeps line feeds only where they are wanted', () => {
    expect(escapeText('one\r\ntwo')).toBe(String.raw`one\r\ntwo`);
    expect(escapeText('one\ntwo', { newlines: true })).toBe('one\ntwo');
  });

  it('never lets a character through that a terminal obeys', () => {
    const text = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), awkward) });
    fc.assert(
      fc.property(text, (any) => {
        expect(escapeText(any)).not.toMatch(OBEYED);
      }),
    );
  });
});

describe('firstLine', () => {
  it.each([
    ['Open port 3306', 'Open port 3306'],
    ['\n\n  Open port 3306  \r\n\nbecause of web', 'Open port 3306'],
    ['\tdone\x1b[1A', String.raw`done\x1b[1A`],
    ['', ''],
  ])('of %j is %j', (message, line) => {
    expect(firstLine(message)).toBe(line);
  });
});

/** C0, DEL, C1, marks that reorder text, separators of lines. */
const OBEYED = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;

const awkward = fc.constantFrom(
  '"',
  '\\',
  ' ',
  '\n',
  '\x1b',
  '\x7f',
  '\u009b',
  '\u202e',
  '\u2028',
  '\u200b',
  'é',
  '日',
  '1',
);

const anyName = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map(decodePath),
  fc.array(awkward).map((characters) => pathOf(characters.join(''))),
  fc.string({ unit: 'binary' }).map(pathOf),
);

function pathOf(text: string): BytePath {
  return decodePath(Buffer.from(text, 'utf8'));
}

/** Reads a name as C and git would read it. */
function unquote(shown: string): BytePath {
  if (!shown.startsWith('"')) return pathOf(shown);
  const letters: Record<string, string> = { a: '\x07', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' };
  const bytes = pathOf(shown.slice(1, -1)).replace(/\\(?:([0-7]{3})|(.))/g, (_, octal?: string, letter = '') =>
    octal === undefined ? (letters[letter] ?? letter) : String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return bytes as BytePath;
}
