import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  effectiveValue,
  formatLxcConfig,
  type LxcConfig,
  mapValues,
  markerOf,
  ownValue,
  parseLxcConfig,
  setMarker,
  settingsOf,
  settingsWithIncludes,
  setValue,
} from '../../src/model/lxc-config.js';

const parse = (text: string) => parseLxcConfig(Buffer.from(text));
const format = (config: LxcConfig) => formatLxcConfig(config).toString();

/** Bytes of which most make lines that LXC reads. */
const configBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom('lxc.uts.name', 'lxc.uts.name = a\n', 'lxc.include = /i\n', '# lxcv: a is versioned in /v/a\n'),
      fc.constantFrom(
        '=',
        ' = ',
        ' ',
        '\t',
        '"',
        "'",
        '#',
        '\n',
        '\r\n',
        '\r',
        '\f',
        '\0',
        'x',
        '\xc3\xbc',
        '\xc3',
        '\xff',
      ),
    ),
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));

/** Any text that can stand on a line. */
const lineText = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(' ', '\t', '"', "'", '=', '#', 'ü', '€', '🐧', '\u00a0', '\u2028'),
      fc.string({ maxLength: 1 }),
    ),
  })
  .filter((text) => !/[\0\r\n]/.test(text));

describe('parseLxcConfig and formatLxcConfig', () => {
  it('give back every config as it was', () => {
    fc.assert(fc.property(configBytes, (bytes) => formatLxcConfig(parseLxcConfig(bytes)).equals(bytes)));
  });

  it('give back any bytes at all as they were', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => formatLxcConfig(parseLxcConfig(bytes)).equals(bytes)));
  });
});

describe('settingsOf', () => {
  it('reads keys, values and line numbers in order, past comments, blank lines and what does not begin with lxc.', () => {
    const config = parse(`# lxc.arch = comment

lxc.include = /usr/share/lxc/config/common.conf
  lxc.uts.name=mysql
user.name = me
lxc.mount.entry = a b none bind=1 0 0
`);
    expect(settingsOf(config)).toEqual([
      { key: 'lxc.include', value: '/usr/share/lxc/config/common.conf', line: 3 },
      { key: 'lxc.uts.name', value: 'mysql', line: 4 },
      { key: 'lxc.mount.entry', value: 'a b none bind=1 0 0', line: 6 },
    ]);
  });

  it.each([
    ['lxc.uts.name = a # b', 'a # b'],
    ['\t lxc.uts.name \t= \t a b \t', 'a b'],
    ['lxc.uts.name =', ''],
    ['lxc.uts.name = " a "', ' a '],
    ["lxc.uts.name = 'a'", 'a'],
    ['lxc.uts.name = ""', ''],
    [`lxc.uts.name = '"a"'`, '"a"'],
    [`lxc.uts.name = "a'`, `"a'`],
    ['lxc.uts.name = "a" b', '"a" b'],
    ['lxc.uts.name = "', '"'],
    ['lxc.uts.name = größe', 'größe'],
    ['lxc.uts.name = "a\u2028b"', 'a\u2028b'],
    ['lxc.uts.name = \u00a0a', '\u00a0a'],
  ])('reads the value of %j as %j', (line, value) => {
    expect(settingsOf(parse(line))).toEqual([{ key: 'lxc.uts.name', value, line: 1 }]);
  });

  it('ends a line at LF, at CR and at CRLF', () => {
    expect(settingsOf(parse('lxc.arch = a\r\nlxc.arch = b\rlxc.arch = c\nlxc.arch = d')).map((s) => s.value)).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
  });

  it('reads no further than the first NUL byte', () => {
    expect(settingsOf(parse('lxc.arch = a\0b\nlxc.arch = c\n'))).toEqual([{ key: 'lxc.arch', value: 'a', line: 1 }]);
  });

  it('reads UTF-8 beside lines of another encoding', () => {
    const config = parseLxcConfig(Buffer.from('# gr\xf6\xdfe\nlxc.uts.name = \xc3\xbc\n', 'latin1'));
    expect(ownValue(config, 'lxc.uts.name')).toBe('ü');
  });
});

describe('ownValue', () => {
  it('is the last value of the key, and not that of a longer key', () => {
    const config = parse('lxc.net.0.type = veth\nlxc.net.0.type = empty\nlxc.net.0.type.x = y\n');
    expect(ownValue(config, 'lxc.net.0.type')).toBe('empty');
  });

  it('tells a key that is cleared from one that is not there', () => {
    const config = parse('lxc.hook.start = /bin/true\nlxc.hook.start =\n');
    expect(ownValue(config, 'lxc.hook.start')).toBe('');
    expect(ownValue(config, 'lxc.hook.stop')).toBeUndefined();
  });
});

describe('effectiveValue', () => {
  const files: Record<string, string[]> = {
    '/common.conf': ['lxc.arch = common\nlxc.include = /common.conf.d/\n'],
    '/common.conf.d/': ['lxc.tty.max = 1\nlxc.pty.max = 1\n', 'lxc.tty.max = 2\n'],
    '/loop.conf': ['lxc.include = /loop.conf\n'],
  };
  const readInclude = (path: string) => (files[path] ?? []).map(parse);

  it('lets the last setting win, be it before an include or in it or after it', () => {
    const config = parse('lxc.arch = own\nlxc.include = "/common.conf"\nlxc.pty.max = 9\n');
    expect(effectiveValue(config, 'lxc.arch', readInclude)).toBe('common');
    expect(effectiveValue(config, 'lxc.pty.max', readInclude)).toBe('9');
  });

  it('takes the files of an included directory in their order', () => {
    expect(effectiveValue(parse('lxc.include = /common.conf\n'), 'lxc.tty.max', readInclude)).toBe('2');
  });

  it('is undefined for a key that is cleared, and for one that is nowhere', () => {
    const config = parse('lxc.include = /common.conf\nlxc.arch =\nlxc.include =\n');
    expect(effectiveValue(config, 'lxc.arch', readInclude)).toBeUndefined();
    expect(effectiveValue(config, 'lxc.uts.name', readInclude)).toBeUndefined();
  });

  it('refuses a file that includes itself', () => {
    expect(() => effectiveValue(parse('lxc.include = /loop.conf\n'), 'lxc.arch', readInclude)).toThrow(
      expect.objectContaining({
        code: 'failed',
        message: expect.stringContaining('32 deep, as it comes to /loop.conf'),
      }),
    );
  });

  it('reads each file once, and gives up where files include each other again and again', () => {
    const read: string[] = [];
    const includeTwice = (path: string) => {
      read.push(path);
      return [parse(`lxc.include = ${path}x\n`.repeat(path.length < 25 ? 2 : 0))];
    };
    for (const find of [effectiveValue, (config: LxcConfig) => settingsWithIncludes(config, includeTwice)]) {
      read.length = 0;
      expect(() => find(parse('lxc.include = /\n'), 'lxc.arch', includeTwice)).toThrow(
        expect.objectContaining({ code: 'failed', message: expect.stringContaining('more than 100000 files') }),
      );
      expect(read).toEqual([...new Set(read)]);
    }
  });
});

describe('setValue', () => {
  it('replaces the last value in its place and leaves every other byte alone', () => {
    const config = parse('# a\r\nlxc.arch = 1\r\n\t lxc.arch  =\t2 \r\n\r\nlxc.tty.max = 4');
    expect(format(setValue(config, 'lxc.arch', '3'))).toBe(
      '# a\r\nlxc.arch = 1\r\n\t lxc.arch  =\t3 \r\n\r\nlxc.tty.max = 4',
    );
  });

  it('leaves the config that it was given as it was', () => {
    const config = parse('lxc.arch = 1\n');
    setValue(config, 'lxc.arch', '2');
    expect(format(config)).toBe('lxc.arch = 1\n');
  });

  it('keeps the quotes of the line, and adds some where the value would be read otherwise without', () => {
    expect(format(setValue(parse("lxc.uts.name = 'a'\n"), 'lxc.uts.name', 'b'))).toBe("lxc.uts.name = 'b'\n");
    expect(format(setValue(parse('lxc.uts.name = a\n'), 'lxc.uts.name', ' b'))).toBe('lxc.uts.name = " b"\n');
    expect(format(setValue(parse('lxc.uts.name = a\n'), 'lxc.uts.name', "'b'"))).toBe('lxc.uts.name = "\'b\'"\n');
  });

  it.each([
    ['', 'lxc.arch = x\n'],
    ['# a\n', '# a\nlxc.arch = x\n'],
    ['# a', '# a\nlxc.arch = x\n'],
    ['# a\r\n# b', '# a\r\n# b\r\nlxc.arch = x\r\n'],
    ['# a\n\0junk', '# a\nlxc.arch = x\n\0junk'],
  ])('appends a line to %j, which has none of the key', (before, after) => {
    expect(format(setValue(parse(before), 'lxc.arch', 'x'))).toBe(after);
  });

  it('moves the line behind an include that follows it', () => {
    const config = parse('  lxc.arch=1\nlxc.include = /i\n# end');
    expect(format(setValue(config, 'lxc.arch', '2'))).toBe('lxc.include = /i\n# end\n  lxc.arch=2\n');
  });

  it('wins over all that the file and its includes say', () => {
    const readInclude = () => [parse('lxc.uts.name = included\n')];
    fc.assert(
      fc.property(configBytes, lineText, (bytes, value) => {
        const config = setValue(parseLxcConfig(bytes), 'lxc.uts.name', value);
        expect(ownValue(config, 'lxc.uts.name')).toBe(value);
        expect(effectiveValue(parseLxcConfig(formatLxcConfig(config)), 'lxc.uts.name', readInclude) ?? '').toBe(value);
      }),
    );
  });

  it('changes no other setting', () => {
    const others = (config: LxcConfig) =>
      settingsOf(config).flatMap(({ key, value }) => (key === 'lxc.uts.name' ? [] : [key, value]));
    fc.assert(
      fc.property(configBytes, lineText, (bytes, value) => {
        const config = parseLxcConfig(bytes);
        expect(others(setValue(config, 'lxc.uts.name', value))).toEqual(others(config));
      }),
    );
  });

  it.each(['a\nlxc.arch = evil', 'a\rb', 'a\0'])('refuses %j, which no line can hold', (value) => {
    expect(() => setValue(parse(''), 'lxc.rootfs.path', value)).toThrow(expect.objectContaining({ code: 'bad-name' }));
  });
});

describe('mapValues', () => {
  it('changes no byte where the values stay as they are', () => {
    fc.assert(
      fc.property(configBytes, (bytes) => {
        const config = parseLxcConfig(bytes);
        expect(mapValues(config, (setting) => setting.value)).toEqual(config);
      }),
    );
  });

  it('keeps the bytes of a value that is not UTF-8 around those that it changes', () => {
    const config = parseLxcConfig(Buffer.from('lxc.hook.stop = /old/\xff\n', 'latin1'));
    const moved = mapValues(config, ({ value }) => value.replace('/old', '/ü'));
    expect(formatLxcConfig(moved).toString('latin1')).toBe('lxc.hook.stop = /\xc3\xbc/\xff\n');
  });
});

describe('the marker', () => {
  const marker = { container: 'mysql', repository: '/var/lib/lxcv/my sql' };

  it('is undefined in a config without one', () => {
    expect(markerOf(parse('# lxcv: see /usr/share/doc/lxcv\n# mysql is versioned in /v\n'))).toBeUndefined();
  });

  it('goes directly above the last line of lxc.rootfs.path', () => {
    const config = parse('lxc.rootfs.path = /a\r\nlxc.rootfs.path = /b\r\nlxc.uts.name = mysql\r\n');
    expect(format(setMarker(config, marker))).toBe(
      'lxc.rootfs.path = /a\r\n# lxcv: mysql is versioned in /var/lib/lxcv/my sql\r\nlxc.rootfs.path = /b\r\nlxc.uts.name = mysql\r\n',
    );
  });

  it('goes to the end of a config without lxc.rootfs.path', () => {
    expect(format(setMarker(parse('# a'), marker))).toBe('# a\n# lxcv: mysql is versioned in /var/lib/lxcv/my sql\n');
  });

  it('takes the place of the first marker there was, and is the only one then', () => {
    const config = parse('# lxcv: a is versioned in /v/a\nlxc.rootfs.path = /r\n# lxcv: b is versioned in /v/b\n# end');
    expect(format(setMarker(config, marker))).toBe(
      '# lxcv: mysql is versioned in /var/lib/lxcv/my sql\nlxc.rootfs.path = /r\n# end',
    );
  });

  it('is read back as it was set, whatever the config', () => {
    fc.assert(
      fc.property(configBytes, lineText, (bytes, text) => {
        const set = { container: 'mysql', repository: `/${text}` };
        expect(markerOf(parseLxcConfig(formatLxcConfig(setMarker(parseLxcConfig(bytes), set))))).toEqual(set);
      }),
    );
  });

  it('changes no setting', () => {
    const values = (config: LxcConfig) => settingsOf(config).map(({ key, value }) => [key, value]);
    fc.assert(
      fc.property(configBytes, (bytes) => {
        const config = parseLxcConfig(bytes);
        expect(values(setMarker(config, marker))).toEqual(values(config));
      }),
    );
  });

  it('refuses a repository whose path breaks the line', () => {
    expect(() => setMarker(parse(''), { container: 'a', repository: '/v\nlxc.arch = evil' })).toThrow(
      expect.objectContaining({ code: 'bad-name' }),
    );
  });
});
