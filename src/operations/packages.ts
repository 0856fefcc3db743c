/**
 * Which packages two trees differ in, by the databases in them. They are read like any other file of a container: no link is
 * followed, nothing is mounted, and nothing of the container is run.
 */

import { childPath, unlessGone } from '../host/files.js';
import { findPath, type TreeEntry } from '../layer/tree.js';
import { type BytePath, joinPath } from '../model/byte-path.js';
import {
  diffPackages,
  type Package,
  type PackageChanges,
  type PackageManager,
  parseApkInstalled,
  parseDpkgStatus,
  parseRpmList,
  RPM_FORMAT,
} from '../model/packages.js';
import type { World } from './world.js';

/** undefined where the tree has no such database, or it cannot be read. */
type ReadPackages = (world: World, tree: Tree) => Promise<Package[] | undefined> | Package[] | undefined;

interface Tree {
  /** Top first. */
  readonly layers: readonly string[];
  /** What to call it. */
  readonly name: string;
}

const DPKG_STATUS = 'var/lib/dpkg/status' as BytePath;
const DPKG_STATUS_PARTS = 'var/lib/dpkg/status.d' as BytePath;
const APK_INSTALLED = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'] as BytePath[];
const RPM_DIRECTORIES = ['var/lib/rpm', 'usr/lib/sysimage/rpm'] as BytePath[];
/** The files of rpm's kinds of database: sqlite, ndb and, of old, Berkeley DB. */
const RPM_DATABASE = /^(rpmdb\.sqlite|Packages\.db|Packages)$/;

/** Far more than a system's database takes, and few enough to be held in memory. */
const DATABASE_BYTES_MAX = 1 << 28;

const MANAGERS: Readonly<Record<PackageManager, ReadPackages>> = { dpkg: readDpkg, apk: readApk, rpm: readRpm };

/** The changes of each package manager that has a database in one of the trees. */
export async function comparePackages(world: World, before: Tree, after: Tree): Promise<PackageChanges[]> {
  const all: PackageChanges[] = [];
  for (const [manager, read] of Object.entries(MANAGERS) as [PackageManager, ReadPackages][]) {
    const [was, is] = [await read(world, before), await read(world, after)];
    if (was !== undefined || is !== undefined) all.push(diffPackages(manager, was ?? [], is ?? []));
  }
  if (all.length === 0) {
    const message = `neither ${before.name} nor ${after.name} has a database of packages that can be read`;
    world.report({ kind: 'notice', message });
  }
  return all;
}

function readDpkg(world: World, tree: Tree): Package[] | undefined {
  const texts = [
    readText(world, tree, DPKG_STATUS),
    ...namesIn(world, tree, DPKG_STATUS_PARTS)
      .filter((name) => !name.endsWith('.md5sums'))
      .map((name) => readText(world, tree, joinPath(DPKG_STATUS_PARTS, name))),
  ].filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : texts.flatMap(parseDpkgStatus);
}

function readApk(world: World, tree: Tree): Package[] | undefined {
  const texts = APK_INSTALLED.map((path) => readText(world, tree, path)).filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : texts.flatMap(parseApkInstalled);
}

/** Of a copy: rpm locks what it reads, and would write to it. */
async function readRpm(world: World, tree: Tree): Promise<Package[] | undefined> {
  const { files, programs } = world.host;
  for (const directory of RPM_DIRECTORIES) {
    const names = namesIn(world, tree, directory);
    if (!names.some((name) => RPM_DATABASE.test(name))) continue;
    using copy = world.host.temporaryDirectory();
    for (const name of names) {
      withFile(world, tree, joinPath(directory, name), ({ location }) =>
        files.copyContent(location, childPath(copy.path, name)),
      );
    }
    const args = ['-qa', '--dbpath', copy.path, '--queryformat', RPM_FORMAT];
    const { exitCode, stdout, stderr, missing } = await programs.run('rpm', args);
    if (exitCode === 0) return parseRpmList(stdout);
    const why = missing ? 'there is no rpm here to read it' : `rpm cannot read it: ${stderr.trim().split('\n')[0]}`;
    world.report({ kind: 'notice', message: `${tree.name} has an rpm database, but ${why}` });
    return undefined;
  }
  return undefined;
}

/** The names in a directory of a tree; none where that is no directory. */
function namesIn({ host: { files } }: World, { layers }: Tree, path: BytePath): BytePath[] {
  using found = findPath(files, layers, path);
  using directory = found?.openDirectory();
  if (directory === undefined) return [];
  return [...directory.names()].filter((name) => directory.entry(name) !== undefined).sort();
}

function readText(world: World, tree: Tree, path: BytePath): string | undefined {
  return withFile(world, tree, path, ({ location }) => {
    using file = world.host.files.openFile(location);
    const bytes = Buffer.alloc(file.size);
    return bytes.toString('utf8', 0, file.read(bytes, 0));
  });
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
