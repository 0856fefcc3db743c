/**
 * A container's LXC config, kept byte for byte: read as LXC reads it, and edited so that every other line stays as
 * its author left it. Law: `formatLxcConfig(parseLxcConfig(bytes))` equals `bytes`, whatever they are.
 * Source: lxc 5.0.2, `parse_line` and `do_includedir` in src/lxc/confile.c, `lxc_file_for_each_line_mmap` in parse.c.
 */

import { isAscii } from './byte-path.js';
import { LxcvError } from './errors.js';

/** Immutable. Its text is UTF-8; in a line that is not, each byte from 0x80 on is the lone surrogate U+DC00 + byte. */
export interface LxcConfig {
  /** Each with its line end, LF, CR or CRLF, which the last may lack. */
  readonly lines: readonly string[];
  /** The first NUL byte and all behind it: LXC reads no further. */
  readonly unread: string;
}

/** A line that LXC takes for `key = value`. */
export interface Setting {
  readonly key: string;
  /** Trimmed, and without the quotes around it; `''` clears the key. */
  readonly value: string;
  /** The line's number, from 1. */
  readonly line: number;
}

/**
 * The configs that `lxc.include = path` adds, in LXC's order: of a file, itself; of a directory, all files whose names end in
 * `.conf` and are longer, as readdir(3) gives them, unsorted. Of a directory in that LXC 5.0.2 says that it is one, and reads on.
 * A missing path adds none if it ends in a slash; any other missing path is an error to LXC.
 */
export type ReadInclude = (path: string) => readonly LxcConfig[];

/** The comment by which lxcv knows a container that it versions. */
export interface Marker {
  /** As it was written: a config that was copied still names the container that it came from. */
  readonly container: string;
  /** Absolute path of the repository's directory. */
  readonly repository: string;
}

const LINES = /[^\r\n]*(?:\r\n?|\n)|[^\r\n]+/g;
const HEAD = /^[ \t]*(lxc\.[^=]*)=[ \t]*/;
const BLANKS = ' \t\r\n';
const QUOTED = /^(?<quote>['"])(?<value>.*)\k<quote>$/s;
const MARKER = /^# lxcv: (?<container>[^ \r\n]+) is versioned in (?<repository>\/[^\r\n]*)/;
/** LXC has no limits: it crashes on a file that includes itself, and files that each include the next one twice it reads for ever. */
const INCLUDE_DEPTH_MAX = 32;
const INCLUDED_MAX = 100_000;

export function parseLxcConfig(bytes: Uint8Array): LxcConfig {
  const all = Buffer.from(bytes).toString('latin1');
  const [read = ''] = all.split('\0', 1);
  const lines = read.match(LINES) ?? [];
  return { lines: isAscii(read) ? lines : lines.map(decodeText), unread: decodeText(all.slice(read.length)) };
}

export function formatLxcConfig({ lines, unread }: LxcConfig): Buffer {
  return encodeText([...lines, unread].join(''));
}

/** What was found before: hundreds of containers include the same files. */
const settingsFound = new WeakMap<LxcConfig, readonly Setting[]>();

/** The settings of this file alone, in order; an `lxc.include` is one of them. */
export function settingsOf(config: LxcConfig): readonly Setting[] {
  const before = settingsFound.get(config);
  if (before !== undefined) return before;
  const settings: Setting[] = [];
  for (const [index, text] of config.lines.entries()) {
    const parts = parseSetting(text);
    if (parts !== undefined) settings.push({ key: parts.key, value: parts.value, line: index + 1 });
  }
  settingsFound.set(config, settings);
  return settings;
}

/** The last value that this file alone gives a key: `''` where it clears it, undefined where it does not name it. */
export function ownValue(config: LxcConfig, key: string): string | undefined {
  return settingsOf(config).findLast((setting) => setting.key === key)?.value;
}

/**
 * The value that LXC takes for a key that holds one value, such as `lxc.rootfs.path`: the last, here or in an include.
 * Undefined where the key is not set, or is cleared.
 * @throws LxcvError `failed` for a file that includes itself, and for more than INCLUDED_MAX files and settings that are included.
 */
export function effectiveValue(config: LxcConfig, key: string, readInclude: ReadInclude): string | undefined {
  return lastValue(config, key, boundedIncludes(readInclude), 0) || undefined;
}

function lastValue(config: LxcConfig, key: string, include: Include, depth: number): string | undefined {
  const settings = settingsOf(config);
  for (let at = settings.length - 1; at >= 0; at -= 1) {
    const setting = settings[at] as Setting;
    if (setting.key === key) return setting.value;
    if (!isInclude(setting)) continue;
    for (const included of include(setting.value, depth).toReversed()) {
      const value = lastValue(included, key, include, depth + 1);
      if (value !== undefined) return value;
    }
  }
  return undefined;
}

/** True where LXC maps the users of a container to others: `lxc.idmap` adds to a list, and clears it where it is empty. */
export function hasIdMap(settings: readonly Setting[]): boolean {
  return (settings.findLast(({ key }) => key === 'lxc.idmap')?.value ?? '') !== '';
}

/** Keys of LXC before 2.1, of which LXC 5 reads none: it does not load a config with one. Source: lxc-update-config. */
const LEGACY_KEY =
  /^lxc\.(?:rootfs|rootfs\.backend|utsname|network(?:\..*)?|id_map|mount|pts|tty|devttydir|aa_profile|aa_allow_incomplete|se_context|seccomp|console|haltsignal|rebootsignal|stopsignal|syslog|loglevel|logfile|init_cmd|init_uid|init_gid|limit\..*)$/;

/** The first line with a key that LXC has given up. */
export function findLegacy(settings: readonly Setting[]): Setting | undefined {
  return settings.find(({ key }) => LEGACY_KEY.test(key));
}

/**
 * Makes `value` the effective value of a key that holds one, whatever the includes say. The last line of the key takes it,
 * in its place and with its spacing and quotes, but moves to the end of the file if an `lxc.include` follows, which could
 * overrule it. A key without a line gets one at the end.
 * @throws LxcvError `bad-name` for a value that no line can hold.
 */
export function setValue(config: LxcConfig, key: string, value: string): LxcConfig {
  const at = lastLineOf(config, key);
  if (at < 0) return appendLine(config, `${key} = ${formatValue(value)}`);
  const { lines, unread } = mapValues(config, (setting) => (setting.line === at + 1 ? value : setting.value));
  if (lastLineOf(config, 'lxc.include') < at) return { lines, unread };
  return appendLine({ lines: lines.toSpliced(at, 1), unread }, lines[at] as string);
}

/**
 * Puts `rewrite`'s answer in the place of each value; all else stays, and so does a line whose value it returns as it was.
 * @throws LxcvError `bad-name` for a value that no line can hold.
 */
export function mapValues(config: LxcConfig, rewrite: (setting: Setting) => string): LxcConfig {
  const lines = config.lines.map((text, index) => {
    const parts = parseSetting(text);
    if (parts === undefined) return text;
    const { head, key, value, quote, tail } = parts;
    return `${head}${formatValue(rewrite({ key, value, line: index + 1 }), quote)}${tail}`;
  });
  return { ...config, lines };
}

export function markerOf(config: LxcConfig): Marker | undefined {
  return config.lines.map(parseMarker).find((marker) => marker !== undefined);
}

/**
 * Makes `marker` the one marker of the config: in the place of the first there was, else directly above the last line of
 * `lxc.rootfs.path`, else at the end. Set that path first: setting it can move its line.
 * @throws LxcvError `bad-name` for a path that no line can hold.
 */
export function setMarker(config: LxcConfig, marker: Marker): LxcConfig {
  const line = oneLine(`# lxcv: ${marker.container} is versioned in ${marker.repository}`);
  const former = config.lines.findIndex((text) => parseMarker(text) !== undefined);
  const at = former < 0 ? lastLineOf(config, 'lxc.rootfs.path') : former;
  const lines = config.lines.filter((text) => parseMarker(text) === undefined);
  if (at < 0) return appendLine({ ...config, lines }, line);
  return { ...config, lines: lines.toSpliced(at, 0, line + lineEndOf(config)) };
}

/**
 * The settings of this file and, in the place of each `lxc.include`, of what that adds: what LXC obeys, in its order.
 * @throws LxcvError as `effectiveValue`.
 */
export function settingsWithIncludes(config: LxcConfig, readInclude: ReadInclude): Setting[] {
  return allSettings(config, boundedIncludes(readInclude), 0);
}

function allSettings(config: LxcConfig, include: Include, depth: number): Setting[] {
  return settingsOf(config).flatMap((setting) =>
    isInclude(setting)
      ? include(setting.value, depth).flatMap((included) => allSettings(included, include, depth + 1))
      : [setting],
  );
}

function isInclude({ key, value }: Setting): boolean {
  return key === 'lxc.include' && value !== '';
}

/** @param depth of the config with the line. */
type Include = (path: string, depth: number) => readonly LxcConfig[];

/** What is included again is read once. */
function boundedIncludes(readInclude: ReadInclude): Include {
  const known = new Map<string, readonly LxcConfig[]>();
  let left = INCLUDED_MAX;
  return (path, depth) => {
    if (depth >= INCLUDE_DEPTH_MAX) throw boundless(`are nested more than ${INCLUDE_DEPTH_MAX} deep`, path);
    const configs = known.get(path) ?? readInclude(path);
    known.set(path, configs);
    for (const included of configs) left -= 1 + settingsOf(included).length;
    if (left < 0) throw boundless(`come to more than ${INCLUDED_MAX} files and settings`, path);
    return configs;
  };
}

function boundless(how: string, path: string): LxcvError {
  return new LxcvError(
    'failed',
    `the config's includes ${how}, as it comes to ${path}`,
    'Look for an lxc.include that leads back to its own file, or to the same ones again and again.',
  );
}

/** The index of the last line that sets a key, or -1. */
function lastLineOf(config: LxcConfig, key: string): number {
  return config.lines.findLastIndex((text) => parseSetting(text)?.key === key);
}

function appendLine(config: LxcConfig, line: string): LxcConfig {
  const end = lineEndOf(config);
  return { ...config, lines: [...config.lines, line].map((text) => (/[\r\n]$/.test(text) ? text : text + end)) };
}

/** The line end that the file uses, by its first line. */
function lineEndOf(config: LxcConfig): string {
  return /[\r\n]+$/.exec(config.lines[0] ?? '')?.[0] ?? '\n';
}

/** The parts of `head quote value quote tail`; undefined for a line that LXC passes over or refuses. */
function parseSetting(line: string) {
  const match = HEAD.exec(line);
  if (match === null) return undefined;
  const { 0: head, 1: name = '' } = match;
  const end = Math.max(head.length, trimmedLength(line));
  const key = name.slice(0, trimmedLength(name));
  const body = line.slice(head.length, end);
  const tail = line.slice(end);
  const { quote = '', value = body } = QUOTED.exec(body)?.groups ?? {};
  return { head, key, quote, value, tail };
}

/** Without blanks and line ends at the end: an expression would look for these from each place on. */
function trimmedLength(text: string): number {
  let length = text.length;
  while (length > 0 && BLANKS.includes(text[length - 1] as string)) length -= 1;
  return length;
}

/** `quote` is kept where there is one: LXC takes the outermost pair off, and reads what is inside as it stands. */
function formatValue(value: string, quote = ''): string {
  const mark = quote === '' && (/^[ \t]|[ \t]$/.test(value) || QUOTED.test(value)) ? '"' : quote;
  return `${mark}${oneLine(value)}${mark}`;
}

function oneLine(text: string): string {
  if (!/[\0\r\n]/.test(text)) return text;
  throw new LxcvError(
    'bad-name',
    `${JSON.stringify(text)} cannot stand in an LXC config`,
    'LXC reads a config line by line: use paths and names without line breaks.',
  );
}

function parseMarker(line: string): Marker | undefined {
  const { container, repository } = MARKER.exec(line)?.groups ?? {};
  return container === undefined || repository === undefined ? undefined : { container, repository };
}

/** The text of bytes that are given as latin1; `encodeText(decodeText(bytes))` is `bytes`. */
function decodeText(latin1: string): string {
  if (isAscii(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  return latin1.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
}

function encodeText(text: string): Buffer {
  const latin1 = text
    .replace(/[^\udc80-\udcff]+/gu, (part) => Buffer.from(part, 'utf8').toString('latin1'))
    .replace(/[\udc80-\udcff]/g, (byte) => String.fromCharCode(byte.charCodeAt(0) - 0xdc00));
  return Buffer.from(latin1, 'latin1');
}
