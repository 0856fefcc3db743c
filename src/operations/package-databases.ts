/**
 * The databases of package managers, as they lie in a tree. They are read like any other file of a container: no link is
 * followed, nothing is mounted, and nothing of the container is run.
 */

import { childPath, unlessGone } from '../host/files.js';
import { findPath, type TreeEntry } from '../layer/tree.js';
import { type BytePath, decodePath, joinPath } from '../model/byte-path.js';
import {
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
import type { World } from './world.js';

export interface Tree {
  /** Top first. */
  readonly layers: readonly string[];
  /** What to call it. */
  readonly name: string;
}

export interface PackageDatabase {
  /** The paths of its files: where none of them changed, no package did. */
  readonly files: RegExp;
  /** undefined where there is none; `unreadable` where there is one that cannot be read, which is reported. */
  packages(world: World, tree: Tree): Promise<Package[] | 'unreadable' | undefined>;
  /** The paths that belong to these packages, as far as the database tells. */
  paths(world: World, tree: Tree, names: ReadonlySet<string>): Promise<Map<string, BytePath[]>>;
}

const DPKG = 'var/lib/dpkg' as BytePath;
const APK_DIRECTORIES = ['lib/apk/db', 'usr/lib/apk/db'] as BytePath[];
const APK_INSTALLED = APK_DIRECTORIES.map((directory) => childOf(directory, 'installed'));
const RPM_DIRECTORIES = ['var/lib/rpm', 'usr/lib/sysimage/rpm'] as BytePath[];
/** Below one of these is each file of a database. */
export const DATABASE_PLACES: readonly BytePath[] = [DPKG, ...APK_DIRECTORIES, ...RPM_DIRECTORIES];
/** The files of rpm's kinds of database: sqlite, ndb and, of old, Berkeley DB. */
const RPM_DATABASE = /^(rpmdb\.sqlite|Packages\.db|Packages)$/;

/** Far more than a system's database takes, and few enough to be held in memory. */
const DATABASE_BYTES_MAX = 1 << 28;
/** Who reads an rpm database: its bytes are a container's, and rpm is not made to read an attacker's. */
const NOBODY = 65534;

export const DATABASES: Readonly<Record<PackageManager, PackageDatabase>> = {
  dpkg: {
    files: /^var\/lib\/dpkg\/status(\.d\/|$)/,
    packages: async (world, tree) => {
      const parts = childOf(DPKG, 'status.d');
      const texts = [
        readText(world, tree, childOf(DPKG, 'status')),
        ...namesIn(world, tree, parts)
          .filter((name) => !name.endsWith('.md5sums'))
          .map((name) => readText(world, tree, joinPath(parts, name))),
      ].filter((text) => text !== undefined);
      return texts.length === 0 ? undefined : texts.flatMap((text) => parseDpkgStatus(utf8(text)));
    },
    paths: async (world, tree, names) => {
      const info = childOf(DPKG, 'info');
      const paths = new Map<string, BytePath[]>();
      for (const file of namesIn(world, tree, info)) {
        const name = /^(.+)\.[a-z0-9-]+$/.exec(file)?.[1];
        if (name === undefined || !names.has(name)) continue;
        const list = file === `${name}.list` ? readText(world, tree, joinPath(info, file)) : undefined;
        paths.set(name, [...(paths.get(name) ?? []), joinPath(info, file), ...parseDpkgList(list ?? '')]);
      }
      return paths;
    },
  },
  apk: {
    files: /^(usr\/)?lib\/apk\/db\/installed$/,
    packages: async (world, tree) => {
      const texts = APK_INSTALLED.map((path) => readText(world, tree, path)).filter((text) => text !== undefined);
      return texts.length === 0 ? undefined : texts.flatMap((text) => parseApkInstalled(utf8(text)));
    },
    paths: async (world, tree) =>
      new Map(APK_INSTALLED.flatMap((path) => [...parseApkFiles(readText(world, tree, path) ?? '')])),
  },
  rpm: {
    files: /^(var\/lib|usr\/lib\/sysimage)\/rpm\//,
    packages: async (world, tree) => {
      const text = await queryRpm(world, tree, RPM_FORMAT);
      return text === undefined || text === 'unreadable' ? text : parseRpmList(text);
    },
    paths: async (world, tree) => {
      const text = await queryRpm(world, tree, RPM_FILES_FORMAT);
      return text === undefined || text === 'unreadable' ? new Map() : parseRpmFiles(text);
    },
  },
};

/** Of a copy that is nobody's: rpm locks what it reads, and would write to it. */
async function queryRpm(world: World, tree: Tree, format: string): Promise<string | 'unreadable' | undefined> {
  const { files, programs } = world.host;
  for (const directory of RPM_DIRECTORIES) {
    const names = namesIn(world, tree, directory);
    if (!names.some((name) => RPM_DATABASE.test(name))) continue;
    using copy = world.host.temporaryDirectory();
    for (const name of names) {
      const path = childPath(copy.path, name);
      withFile(world, tree, joinPath(directory, name), ({ location }) => {
        files.copyContent(location, path);
        files.chown(path, NOBODY, NOBODY);
      });
    }
    files.chown(copy.path, NOBODY, NOBODY);
    const args = ['-qa', '--dbpath', copy.path, '--queryformat', format];
    const { exitCode, stdout, stderr, missing } = await programs.run('rpm', args, { uid: NOBODY });
    if (exitCode === 0) return stdout;
    const why = missing ? 'there is no rpm here to read it' : `rpm cannot read it: ${stderr.trim().split('\n')[0]}`;
    world.report({ kind: 'notice', message: `${tree.name} has an rpm database, but ${why}` });
    return 'unreadable';
  }
  return undefined;
}

function childOf(parent: BytePath, name: string): BytePath {
  return joinPath(parent, name as BytePath);
}

/** The names in a directory of a tree; none where that is no directory. */
function namesIn({ host: { files } }: World, { layers }: Tree, path: BytePath): BytePath[] {
  using found = findPath(files, layers, path);
  using directory = found?.openDirectory();
  if (directory === undefined) return [];
  return [...directory.names()].filter((name) => directory.entry(name) !== undefined).sort();
}

/** The text of a file, a character a byte. */
function readText(world: World, tree: Tree, path: BytePath): string | undefined {
  return withFile(world, tree, path, ({ location }) => {
    using file = world.host.files.openFile(location);
    const bytes = Buffer.alloc(file.size);
    return decodePath(bytes.subarray(0, file.read(bytes, 0)));
  });
}

function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** Does something with a regular file of a tree; undefined where there is none, or one that is no database by its size. */
function withFile<T>(world: World, tree: Tree, path: BytePath, use: (entry: TreeEntry) => T): T | undefined {
  return unlessGone(undefined, () => {
    using found = findPath(world.host.files, tree.layers, path);
    if (found?.entry.stat.type !== 'file') return undefined;
    if (found.entry.stat.size <= DATABASE_BYTES_MAX) return use(found.entry);
    world.report({ kind: 'notice', message: `/${path} of ${tree.name} is too large for a database: it was not read` });
    return undefined;
  });
}
