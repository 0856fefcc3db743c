/** The packages that a system has, by what the databases of its package managers say, and how two systems differ in them. */

import { type BytePath, decodePath, joinPath } from './byte-path.js';

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

/** dpkg's states of a package whose files are in place. */
const INSTALLED = /\s(installed|triggers-awaited|triggers-pending)$/;

/** What dpkg's `status`, or a file of its `status.d`, has as installed; named as dpkg does, `libc6:amd64` where several can be. */
export function parseDpkgStatus(text: string): Package[] {
  return text.split(/\n(?:[ \t]*\n)+/).flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*?)[ \\t\\r]*$`, 'im').exec(stanza)?.[1];
    const [name, version, status] = [field('Package'), field('Version'), field('Status')];
    if (!name || !version || (status !== undefined && !INSTALLED.test(` ${status}`))) return [];
    const architecture = field('Multi-Arch') === 'same' ? field('Architecture') : undefined;
    return [{ name: architecture === undefined ? name : `${name}:${architecture}`, version }];
  });
}

/** What apk's `installed` has. */
export function parseApkInstalled(text: string): Package[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const field = (letter: string) => new RegExp(`^${letter}:(.*)$`, 'm').exec(stanza)?.[1];
    const [name, version] = [field('P'), field('V')];
    return name && version ? [{ name, version }] : [];
  });
}

/** The paths in dpkg's list of a package's files: absolute ones, a line each. */
export function parseDpkgList(text: string): BytePath[] {
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('/') && line.length > 2 ? [line.slice(1) as BytePath] : []));
}

/** The paths of each package that apk's `installed` has, directories and files: `F` is a directory, `R` a file in the last of them. */
export function parseApkFiles(text: string): Map<string, BytePath[]> {
  const all = new Map<string, BytePath[]>();
  for (const stanza of text.split(/\n\n+/)) {
    const paths: BytePath[] = [];
    let [name, directory] = ['', ''];
    for (const line of stanza.split('\n')) {
      const value = line.slice(2);
      if (line.startsWith('P:')) name = value;
      else if (line.startsWith('F:')) {
        directory = value;
        if (value !== '') paths.push(value as BytePath);
      } else if (line.startsWith('R:')) paths.push(joinPath(directory as BytePath, value as BytePath));
    }
    if (name !== '') all.set(name, paths);
  }
  return all;
}

/** rpm's `--queryformat` for `parseRpmFiles`. */
export const RPM_FILES_FORMAT = String.raw`[%{=NAME}\t%{FILENAMES}\n]`;

/** What `rpm -qa --queryformat` prints of RPM_FILES_FORMAT. */
export function parseRpmFiles(text: string): Map<string, BytePath[]> {
  const all = new Map<string, BytePath[]>();
  for (const line of text.split('\n')) {
    const [name = '', path = ''] = line.split('\t');
    if (!path.startsWith('/')) continue;
    const known = all.get(name);
    const bytes = decodePath(Buffer.from(path.slice(1), 'utf8'));
    if (known === undefined) all.set(name, [bytes]);
    else known.push(bytes);
  }
  return all;
}

/** rpm's `--queryformat` for `parseRpmList`. */
export const RPM_FORMAT = String.raw`%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n`;

/** What `rpm -qa --queryformat` prints of RPM_FORMAT. */
export function parseRpmList(text: string): Package[] {
  return text.split('\n').flatMap((line) => {
    const [name, version] = line.split('\t');
    return name && version ? [{ name, version }] : [];
  });
}

/** Of a name that several versions are installed of, those that only one side has came or went. */
export function diffPackages(
  manager: PackageManager,
  before: readonly Package[],
  after: readonly Package[],
): PackageChanges {
  const [was, is] = [versionsByName(before), versionsByName(after)];
  const [installed, removed, upgraded]: [Package[], Package[], { name: string; from: string; to: string }[]] = [
    [],
    [],
    [],
  ];
  for (const name of [...new Set([...was.keys(), ...is.keys()])].sort()) {
    const gone = without(was.get(name), is.get(name));
    const come = without(is.get(name), was.get(name));
    const [from, to] = [gone[0], come[0]];
    if (from !== undefined && to !== undefined && gone.length === 1 && come.length === 1) {
      upgraded.push({ name, from, to });
    } else {
      removed.push(...gone.map((version) => ({ name, version })));
      installed.push(...come.map((version) => ({ name, version })));
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
