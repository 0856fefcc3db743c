/** Which packages two trees differ in, and which of the changed paths that explains. */

import { type BytePath, isWithin, joinPath } from '../model/byte-path.js';
import { type Change, type ChangeList, isNameRange } from '../model/changes.js';
import { diffPackages, type PackageChanges, type PackageFold, type PackageManager } from '../model/packages.js';
import { PathIndex } from '../model/path-index.js';
import { type Place, pathOf, Way } from '../model/place.js';
import type { Context } from './context.js';
import { DATABASE_DEPTH, DATABASE_PLACES, DATABASES, type PackageDatabase, type Tree } from './package-databases.js';

const MANAGERS = Object.entries(DATABASES) as [PackageManager, PackageDatabase][];
/** Where /bin and its like are links into /usr, databases still have many files under their old names. */
const MERGED = /^(s?bin|lib[a-z0-9]*)\//;

/** The changes of each package manager that has a database in one of the trees, and none that cannot be read. */
export async function comparePackages(context: Context, before: Tree, after: Tree): Promise<PackageChanges[]> {
  const all: PackageChanges[] = [];
  let unreadable = false;
  for (const [manager, database] of MANAGERS) {
    const old = await database.packages(context, before);
    const now = await database.packages(context, after);
    if (old === 'unreadable' || now === 'unreadable') unreadable = true;
    else if (old !== undefined || now !== undefined) all.push(diffPackages(manager, old ?? [], now ?? []));
  }
  if (all.length === 0 && !unreadable) {
    const message = `neither ${before.name} nor ${after.name} has a database of packages`;
    context.report({ kind: 'notice', message });
  }
  return all;
}

/**
 * The packages that came, went or changed between two trees, each with its paths among `changes`. A changed file below /etc is
 * never among them: it may be an administrator's.
 */
export async function foldPackages(
  context: Context,
  before: Tree,
  after: Tree,
  changes: ChangeList<Pick<Change, 'place' | 'path' | 'kind'>>,
): Promise<PackageFold[]> {
  const all: PackageFold[] = [];
  const touched = databasePaths(changes);
  for (const [manager, database] of MANAGERS) {
    if (!touched.some(database.isPart)) continue;
    const old = await database.packages(context, before);
    const now = await database.packages(context, after);
    if (old === 'unreadable' || now === 'unreadable') continue;
    const differing = versionsOf(diffPackages(manager, old ?? [], now ?? []));
    const paths = new Map<string, BytePath[]>(differing.map(({ name }) => [name, []]));
    const owners = await ownersOf(context, database, [before, after], new Set(paths.keys()));
    for (const change of changes) {
      const owner = owners.get(change.place);
      if (owner !== undefined && !isConfiguration(change)) paths.get(owner)?.push(change.path);
    }
    for (const change of differing) all.push({ manager, ...change, paths: paths.get(change.name) ?? [] });
  }
  return all;
}

/** Where any database was changed: a path of it, or of what that lies in. */
function databasePaths({ parts }: ChangeList<Pick<Change, 'place'>>): BytePath[] {
  const found = new Set<BytePath>();
  const way = new Way();
  let last: Place | undefined;
  const add = (path: BytePath) => {
    if (MANAGERS.some(([, { isPart }]) => isPart(path))) found.add(path);
  };
  for (const part of parts) {
    const place = isNameRange(part) ? part.parent : part.place;
    way.take(place);
    const start = way.at(Math.min(place.depth, DATABASE_DEPTH));
    const isOne = !isNameRange(part) || place.depth >= DATABASE_DEPTH;
    if (isOne && start === last) continue;
    last = start;
    const path = pathOf(start);
    if (isOne) add(path);
    else if (DATABASE_PLACES.some((database) => isWithin(database, path)))
      for (const name of part.names) add(joinPath(path, name));
  }
  return [...found];
}

/** Which of the packages each path belongs to, in any of the trees. */
async function ownersOf(
  context: Context,
  database: PackageDatabase,
  trees: readonly Tree[],
  names: ReadonlySet<string>,
): Promise<PathIndex<string>> {
  const owners = new PathIndex<string>();
  for (const tree of trees) {
    for (const [name, path] of await database.paths(context, tree, names)) {
      owners.set(path, name);
      if (MERGED.test(path)) owners.set(`usr/${path}` as BytePath, name);
    }
  }
  return owners;
}

function versionsOf({ installed, removed, upgraded }: PackageChanges): Omit<PackageFold, 'manager' | 'paths'>[] {
  return [
    ...installed.map(({ name, version }) => ({ name, from: null, to: version })),
    ...removed.map(({ name, version }) => ({ name, from: version, to: null })),
    ...upgraded,
  ];
}

/** True of a changed file below /etc. */
function isConfiguration({ path, kind }: Pick<Change, 'path' | 'kind'>): boolean {
  return kind === 'modified' && path.startsWith('etc/');
}
