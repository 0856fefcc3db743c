/**
 * The databases of package managers, as they lie in a tree. They are read like any other file of a container: no link is
 * followed, nothing is mounted, and nothing of the container is run.
 */

import { NOBODY } from '../host/confined.js';
import { unlessGone } from '../host/files.js';
import { findPath } from '../layer/find-path.js';
import type { TreeEntry } from '../layer/tree.js';
import { type BytePath, decodePath, isWithin, joinPath, tellPath } from '../model/byte-path.js';
import {
  type OwnedPath,
  type Package,
  type PackageManager,
  parseApkFiles,
  parseApkInstalled,
  parseDpkgList,
  parseDpkgStatus,
  parseRpmFiles,
  parseRpmList,
  RPM_FILES_FORMAT,
  RPM_FORMAT,
} from '../model/packages.js';
import type { Context } from './context.js';

export interface Tree {
  /** Top first. */
  readonly layers: readonly string[];
  /** What to call it. */
  readonly name: string;
}

export interface PackageDatabase {
  /** The paths of its files: where none of them changed, no package did. */
  isPart(path: BytePath): boolean;
  /** undefined where there is none; `unreadable` where there is one that cannot be read, which is reported. */
  packages(context: Context, tree: Tree): Promise<Package[] | 'unreadable' | undefined>;
  /** The paths that belong to these packages, as far as the database knows them. */
  paths(context: Context, tree: Tree, names: ReadonlySet<string>): Promise<OwnedPath[]>;
}

const DPKG = 'var/lib/dpkg' as BytePath;
const DPKG_STATUS = childOf(DPKG, 'status');
const DPKG_PARTS = childOf(DPKG, 'status.d');
const APK_DIRECTORIES = ['lib/apk/db', 'usr/lib/apk/db'] as BytePath[];
const APK_INSTALLED = APK_DIRECTORIES.map((directory) => childOf(directory, 'installed'));
const RPM_DIRECTORIES = ['var/lib/rpm', 'usr/lib/sysimage/rpm'] as BytePath[];
/** Below one of these is each file of a database. */
export const DATABASE_PLACES: readonly BytePath[] = [DPKG, ...APK_DIRECTORIES, ...RPM_DIRECTORIES];
/** The first so many names of a path decide whether it is one. */
export const DATABASE_DEPTH = 5;
/** The files of rpm's kinds of database: sqlite, ndb and, of old, Berkeley DB. */
const RPM_DATABASES = ['rpmdb.sqlite', 'Packages.db', 'Packages'];
/** What else rpm needs of the first of them, where it was not closed. */
const RPM_JOURNALS = ['rpmdb.sqlite-wal', 'rpmdb.sqlite-shm'];

/*
 * What a container may cost: several times what the largest systems have, for all files of one database together. What is beyond it
 * counts as unreadable as a whole, for a part of a database would look as if the rest was removed.
 */
const TEXT_BYTES_MAX = 1 << 25;
const RPM_BYTES_MAX = 1 << 28;
const PACKAGES_MAX = 100_000;
const PATHS_MAX = 1_000_000;
const RPM_LIMITS = { cpuSeconds: 60, memoryBytes: 2 ** 30, fileBytes: RPM_BYTES_MAX };

export const DATABASES: Readonly<Record<PackageManager, PackageDatabase>> = {
  dpkg: {
    isPart: (path) => path === DPKG_STATUS || isWithin(DPKG_PARTS, path),
    packages: async (context, tree) =>
      new TextDatabase(context, tree).packages(parseDpkgStatus, (database) => [
        DPKG_STATUS,
        ...database
          .names(DPKG_PARTS)
          .filter((name) => !name.endsWith('.md5sums'))
          .map((name) => joinPath(DPKG_PARTS, name)),
      ]),
    paths: async (context, tree, names) =>
      new TextDatabase(context, tree).paths(function* (database) {
        const info = childOf(DPKG, 'info');
        for (const file of database.names(info)) {
          const name = file.slice(0, Math.max(file.lastIndexOf('.'), 0));
          if (!names.has(name)) continue;
          yield [name, joinPath(info, file)];
          if (file !== `${name}.list`) continue;
          for (const path of parseDpkgList(database.text(joinPath(info, file)) ?? '')) yield [name, path];
        }
      }),
  },
  apk: {
    isPart: (path) => APK_INSTALLED.includes(path),
    packages: async (context, tree) => new TextDatabase(context, tree).packages(parseApkInstalled, () => APK_INSTALLED),
    paths: async (context, tree, names) =>
      new TextDatabase(context, tree).paths(function* (database) {
        for (const file of APK_INSTALLED) yield* ownedBy(names, parseApkFiles(database.text(file) ?? ''));
      }),
  },
  rpm: {
    isPart: (path) => RPM_DIRECTORIES.some((directory) => path !== directory && isWithin(directory, path)),
    packages: async (context, tree) => {
      const text = await queryRpm(context, tree, RPM_FORMAT);
      if (text === undefined || text === 'unreadable') return text;
      return unlessTooLarge<Package[] | 'unreadable'>(context, 'unreadable', () =>
        few(parseRpmList(text), PACKAGES_MAX, `the rpm database of ${tree.name} has more packages than any system`),
      );
    },
    paths: async (context, tree, names) => {
      const text = await queryRpm(context, tree, RPM_FILES_FORMAT);
      if (text === undefined || text === 'unreadable') return [];
      return unlessTooLarge<OwnedPath[]>(context, [], () =>
        few(ownedBy(names, parseRpmFiles(text)), PATHS_MAX, tooManyPaths(tree)),
      );
    },
  },
};

/** A database that is texts, read within what it may cost. */
class TextDatabase {
  private bytesLeft = TEXT_BYTES_MAX;

  constructor(
    private readonly context: Context,
    private readonly tree: Tree,
  ) {}

  packages(
    parse: (text: string) => Iterable<Package>,
    paths: (database: TextDatabase) => readonly BytePath[],
  ): Package[] | 'unreadable' | undefined {
    return unlessTooLarge<Package[] | 'unreadable' | undefined>(this.context, 'unreadable', () => {
      let isThere = false;
      const all: Package[] = [];
      for (const path of paths(this)) {
        const text = this.text(path);
        if (text === undefined) continue;
        isThere = true;
        const reason = `${tellPath(path)} of ${this.tree.name} has more packages than any system`;
        for (const one of few(parse(text), PACKAGES_MAX - all.length, reason)) all.push(one);
      }
      return isThere ? all : undefined;
    });
  }

  paths(ownedPaths: (database: TextDatabase) => Iterable<OwnedPath>): OwnedPath[] {
    return unlessTooLarge<OwnedPath[]>(this.context, [], () =>
      few(ownedPaths(this), PATHS_MAX, tooManyPaths(this.tree)),
    );
  }

  /** The names in a directory of the tree; none where that is no directory. */
  names(path: BytePath): BytePath[] {
    return namesIn(this.context, this.tree, path);
  }

  /** The text of a file, a character a byte; undefined where there is no regular file. */
  text(path: BytePath): string | undefined {
    return withFile(this.context, this.tree, path, ({ location, stat }) => {
      this.bytesLeft -= stat.size;
      if (this.bytesLeft < 0) throw new TooLarge(tooLarge(path, this.tree));
      using file = this.context.host.files.openFile(location);
      const bytes = Buffer.alloc(Math.min(file.size, stat.size));
      return decodePath(bytes.subarray(0, file.read(bytes, 0)));
    });
  }
}

/** A database costs more to read than one may. */
class TooLarge extends Error {}

/** Reports what is too large, and returns something else then. */
function unlessTooLarge<T>(context: Context, otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    context.report({ kind: 'notice', message: error.message });
    return otherwise;
  }
}

/** All of some, unless there are more than `most`. */
function few<T>(some: Iterable<T>, most: number, reason: string): T[] {
  const all: T[] = [];
  for (const one of some) {
    if (all.length === most) throw new TooLarge(`${reason}: it was not read`);
    all.push(one);
  }
  return all;
}

function tooLarge(path: BytePath, tree: Tree): string {
  return `${tellPath(path)} of ${tree.name} is too large for a database: it was not read`;
}

function tooManyPaths(tree: Tree): string {
  return `the packages of ${tree.name} have more paths than any system: their database`;
}

function* ownedBy(names: ReadonlySet<string>, paths: Iterable<OwnedPath>): Generator<OwnedPath> {
  for (const owned of paths) if (names.has(owned[0])) yield owned;
}

/** Of a copy that is nobody's: rpm locks what it reads, and would write to it. */
async function queryRpm(context: Context, tree: Tree, format: string): Promise<string | 'unreadable' | undefined> {
  const { files, programs } = context.host;
  for (const directory of RPM_DIRECTORIES) {
    const names = namesIn(context, tree, directory);
    const database = RPM_DATABASES.find((name) => names.includes(name as BytePath));
    if (database === undefined) continue;
    using copy = context.host.temporaryDirectory();
    const isCopied = unlessTooLarge(context, false, () => {
      let bytesLeft = RPM_BYTES_MAX;
      for (const name of [database, ...(database === RPM_DATABASES[0] ? RPM_JOURNALS : [])]) {
        const path = childOf(directory, name);
        withFile(context, tree, path, ({ location, stat }) => {
          bytesLeft -= stat.size;
          if (bytesLeft < 0) throw new TooLarge(tooLarge(path, tree));
          files.copyBytes(location, `${copy.path}/${name}`);
          files.chown(`${copy.path}/${name}`, NOBODY, NOBODY);
        });
      }
      return true;
    });
    if (!isCopied) return 'unreadable';
    files.chown(copy.path, NOBODY, NOBODY);
    const args = ['-qa', '--dbpath', copy.path, '--queryformat', format];
    const { exitCode, stdout, stderr, missing, ended } = await programs.collectConfined('rpm', args, {
      limits: RPM_LIMITS,
      stdoutMax: TEXT_BYTES_MAX,
    });
    if (exitCode === 0) return decodePath(stdout);
    const said = ended ?? stderr.trim().split('\n')[0];
    const why = missing ? 'there is no rpm here to read it' : `rpm cannot read it: ${said}`;
    context.report({ kind: 'notice', message: `${tree.name} has an rpm database, but ${why}` });
    return 'unreadable';
  }
  return undefined;
}

function childOf(parent: BytePath, name: string): BytePath {
  return joinPath(parent, name as BytePath);
}

/** The names in a directory of a tree; none where that is no directory. */
function namesIn({ host: { files } }: Context, { layers }: Tree, path: BytePath): BytePath[] {
  using found = findPath(files, layers, path);
  using directory = found?.openDirectory();
  if (directory === undefined) return [];
  return [...directory.names()].filter((name) => directory.entry(name) !== undefined).sort();
}

/** Does something with a regular file of a tree; undefined where there is none. */
function withFile<T>(context: Context, tree: Tree, path: BytePath, use: (entry: TreeEntry) => T): T | undefined {
  return unlessGone(undefined, () => {
    using found = findPath(context.host.files, tree.layers, path);
    return found?.entry.stat.type === 'file' ? use(found.entry) : undefined;
  });
}
