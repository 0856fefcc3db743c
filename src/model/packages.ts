/** The packages that a system has, by what the databases of its package managers say, and how two systems differ in them. */

import { type BytePath, bytesToText, joinPath } from './byte-path.js';

export type PackageManager = 'dpkg' | 'apk' | 'rpm';

export interface Package {
  readonly name: string;
  readonly version: string;
}

export interface PackageChanges {
  readonly manager: PackageManager;
  /** All by name. */
  readonly installed: readonly Package[];
  readonly removed: readonly Package[];
  /** To another version, be that newer or older. */
  readonly upgraded: readonly { readonly name: string; readonly from: string; readonly to: string }[];
}

/** A package that differs, with those of the changed paths that are its own. */
export interface PackageFold {
  readonly manager: PackageManager;
  readonly name: string;
  /** The version before; null where it was installed. */
  readonly from: string | null;
  /** The version after; null where it was removed. */
  readonly to: string | null;
  readonly paths: readonly BytePath[];
}

/** dpkg's states of a package whose files are in place. */
const INSTALLED = new Set(['installed', 'triggers-awaited', 'triggers-pending']);
const DPKG_FIELDS = new Set(['package', 'version', 'status', 'multi-arch', 'architecture']);
const DPKG_FIELD_MAX = Math.max(...[...DPKG_FIELDS].map((field) => field.length));

/*
 * The texts below are a container's, so each is read in one pass, and what is made of it is made as it is asked for. A character
 * of them is a byte; names and versions are given as text.
 */

/** What dpkg's `status`, or a file of its `status.d`, has as installed; named as dpkg does, `libc6:amd64` where several can be. */
export function* parseDpkgStatus(bytes: string): Generator<Package> {
  const fields = new Map<string, string>();
  for (const line of linesOf(bytes)) {
    if (isBlank(line)) {
      if (fields.size === 0) continue;
      yield* dpkgPackage(fields);
      fields.clear();
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 0 || colon > DPKG_FIELD_MAX) continue;
    const field = line.slice(0, colon).toLowerCase();
    if (DPKG_FIELDS.has(field) && !fields.has(field)) fields.set(field, trimBlanks(line.slice(colon + 1)));
  }
  yield* dpkgPackage(fields);
}

function* dpkgPackage(fields: ReadonlyMap<string, string>): Generator<Package> {
  const name = fields.get('package');
  const version = fields.get('version');
  if (!name || !version || !isInstalled(fields.get('status'))) return;
  const architecture = fields.get('multi-arch') === 'same' ? fields.get('architecture') : undefined;
  yield toPackage(architecture === undefined ? name : `${name}:${architecture}`, version);
}

/** @param status `install ok installed`; a file of `status.d` has none. */
function isInstalled(status: string | undefined): boolean {
  return status === undefined || INSTALLED.has(status.slice(status.lastIndexOf(' ') + 1));
}

/** What apk's `installed` has. */
export function* parseApkInstalled(bytes: string): Generator<Package> {
  let name = '';
  let version = '';
  for (const line of linesOf(bytes)) {
    if (line === '') {
      if (name !== '' && version !== '') yield toPackage(name, version);
      name = '';
      version = '';
    } else if (line.startsWith('P:')) name ||= line.slice(2);
    else if (line.startsWith('V:')) version ||= line.slice(2);
  }
  if (name !== '' && version !== '') yield toPackage(name, version);
}

/** The paths in dpkg's list of a package's files: absolute ones, a line each. */
export function* parseDpkgList(bytes: string): Generator<BytePath> {
  for (const line of linesOf(bytes)) if (line.startsWith('/') && line.length > 2) yield line.slice(1) as BytePath;
}

/** A path, and the name of the package that it belongs to. */
export type OwnedPath = readonly [owner: string, path: BytePath];

/** The paths that apk's `installed` has, directories and files: `F` is a directory, `R` a file in the last of them. */
export function* parseApkFiles(bytes: string): Generator<OwnedPath> {
  let name = '';
  let directory = '';
  for (const line of linesOf(bytes)) {
    if (line === '') name = '';
    else if (line.startsWith('P:')) {
      name = bytesToText(line.slice(2));
      directory = '';
    } else if (name === '') continue;
    else if (line.startsWith('F:')) {
      directory = line.slice(2);
      if (directory !== '') yield [name, directory as BytePath];
    } else if (line.startsWith('R:')) yield [name, joinPath(directory as BytePath, line.slice(2) as BytePath)];
  }
}

/** rpm's `--queryformat` for `parseRpmFiles`. */
export const RPM_FILES_FORMAT = String.raw`[%{=NAME}\t%{FILENAMES}\n]`;

/** What `rpm -qa --queryformat` prints of RPM_FILES_FORMAT. */
export function* parseRpmFiles(bytes: string): Generator<OwnedPath> {
  for (const line of linesOf(bytes)) {
    const tab = line.indexOf('\t/');
    if (tab >= 0) yield [bytesToText(line.slice(0, tab)), line.slice(tab + 2) as BytePath];
  }
}

/** rpm's `--queryformat` for `parseRpmList`. */
export const RPM_FORMAT = String.raw`%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n`;

/** What `rpm -qa --queryformat` prints of RPM_FORMAT. */
export function* parseRpmList(bytes: string): Generator<Package> {
  for (const line of linesOf(bytes)) {
    const tab = line.indexOf('\t');
    const name = line.slice(0, Math.max(tab, 0));
    const version = line.slice(tab + 1);
    if (name !== '' && version !== '') yield toPackage(name, version);
  }
}

const LINE_FEED = 0x0a;

/** Lines without their line feeds, one at a time; of empty ones that follow each other the first: a text may be nothing else. */
function* linesOf(bytes: string): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    if (bytes.charCodeAt(start) === LINE_FEED) {
      yield '';
      while (bytes.charCodeAt(start) === LINE_FEED) start += 1;
      continue;
    }
    const feed = bytes.indexOf('\n', start);
    const end = feed < 0 ? bytes.length : feed;
    yield bytes.slice(start, end);
    start = end + 1;
  }
}

function isBlank(line: string): boolean {
  for (let at = 0; at < line.length; at += 1) if (line[at] !== ' ' && line[at] !== '\t') return false;
  return true;
}

function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text[start])) start += 1;
  while (end > start && isSpace(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

/** What `trim` takes away is more, and part of a character where each one is a byte. */
function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r';
}

function toPackage(name: string, version: string): Package {
  return { name: bytesToText(name), version: bytesToText(version) };
}

/** Of a name that several versions are installed of, those that only one side has came or went. */
export function diffPackages(
  manager: PackageManager,
  before: readonly Package[],
  after: readonly Package[],
): PackageChanges {
  const was = versionsByName(before);
  const is = versionsByName(after);
  const installed: Package[] = [];
  const removed: Package[] = [];
  const upgraded: { name: string; from: string; to: string }[] = [];
  for (const name of [...new Set([...was.keys(), ...is.keys()])].sort()) {
    const gone = without(was.get(name), is.get(name));
    const come = without(is.get(name), was.get(name));
    const from = gone[0];
    const to = come[0];
    if (from !== undefined && to !== undefined && gone.length === 1 && come.length === 1) {
      upgraded.push({ name, from, to });
    } else {
      for (const version of gone) removed.push({ name, version });
      for (const version of come) installed.push({ name, version });
    }
  }
  return { manager, installed, removed, upgraded };
}

function versionsByName(packages: readonly Package[]): Map<string, Set<string>> {
  const versions = new Map<string, Set<string>>();
  for (const { name, version } of packages) {
    const known = versions.get(name);
    if (known === undefined) versions.set(name, new Set([version]));
    else known.add(version);
  }
  return versions;
}

function without(versions: ReadonlySet<string> = new Set(), others: ReadonlySet<string> = new Set()): string[] {
  return [...versions].filter((version) => !others.has(version));
}
