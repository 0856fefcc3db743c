/**
 * The tree that a stack of layers makes, read as overlayfs would show it, without mounting it: lazily, a directory at a time,
 * and by open directories only, so that no symbolic link inside a layer leads anywhere.
 */

import { childPath, type Directory, type FilesRead, noEntry, type Stat, unlessGone } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import type { BytePath } from '../model/byte-path.js';
import type { EntryType } from '../model/entry.js';
import { LxcvError } from '../model/errors.js';
import { type DirectoryKind, isWhiteout, readDirectoryKind } from './overlayfs.js';

/** One layer's share of a directory of a tree. */
class Part {
  private kind: DirectoryKind | undefined;
  private types: ReadonlyMap<BytePath, EntryType> | undefined;

  /** @param layer absolute path of the layer's root: with the directory's path in the tree it names this part. */
  constructor(
    private readonly files: FilesRead,
    readonly layer: string,
    readonly directory: Directory,
  ) {}

  get directoryKind(): DirectoryKind {
    this.kind ??= unlessGone('merged', () => readDirectoryKind(this.files, this.directory.path));
    return this.kind;
  }

  /** Reads the names that the part holds, whiteouts included. From then on `entry` answers from this listing. */
  readNames(): Iterable<BytePath> {
    this.types = unlessGone<ReadonlyMap<BytePath, EntryType>>(new Map(), () =>
      this.files.listTyped(this.directory.path),
    );
    return this.types.keys();
  }

  /** The type of a name as the listing has it; undefined where it has none, or was not read. */
  listedType(name: BytePath): EntryType | undefined {
    return this.types?.get(name);
  }

  entry(name: BytePath): TreeEntry | undefined {
    if (this.types !== undefined) {
      const type = this.types.get(name);
      return type && new ListedEntry(this.files, type, this.directory.path, name, this.layer);
    }
    const location = childPath(this.directory.path, name);
    const stat = this.files.stat(location);
    return stat && { type: stat.type, stat, location, layer: this.layer };
  }
}

const NO_LAYERS: readonly string[] = [];

/** What a tree holds under a name. `location` reaches it while the directory that it was looked up in is open. */
export interface TreeEntry {
  readonly type: EntryType;
  /** Read when asked for, where the type is known from a listing. @throws ENOENT where the path is gone by then. */
  readonly stat: Stat;
  readonly location: HostPath;
  /** The layer that shows it. */
  readonly layer: string;
}

/** The result of looking a name up in a stack. `whiteout`: hidden here, and in any layer below the stack. */
export type Lookup =
  | { readonly kind: 'absent' }
  | { readonly kind: 'whiteout'; readonly entry: TreeEntry }
  | {
      readonly kind: 'entry';
      readonly entry: TreeEntry;
      /** True where nothing below the stack shows through: always for what is no directory. */
      readonly opaque: boolean;
      /** The layers, top first, that have a share of the directory; none for what is no directory. */
      readonly layers: readonly string[];
    };

/** An open directory of a tree: its parts, top first. */
export class TreeDirectory implements Disposable {
  private constructor(
    private readonly files: FilesRead,
    private readonly parts: readonly Part[],
    /** The parts to close: without those of another directory, which stays open for longer. */
    private readonly own: readonly Part[],
  ) {}

  /**
   * The root of the tree of these layers, top first; a base may be named by a symbolic link.
   * @param beside another such root that stays open for longer: layers of both are not opened again.
   * @throws LxcvError `base-missing`, `store-damaged` where a layer is not there.
   */
  static openRoot(files: FilesRead, layers: readonly string[], beside?: TreeDirectory): TreeDirectory {
    return TreeDirectory.open(
      files,
      layers.map((layer) => ({ layer, location: `${layer}/.` })),
      true,
      beside,
    );
  }

  private static open(
    files: FilesRead,
    places: readonly { layer: string; location: HostPath }[],
    required: boolean,
    beside: TreeDirectory | undefined,
  ): TreeDirectory {
    const parts: Part[] = [];
    const own: Part[] = [];
    try {
      for (const { layer, location } of places) {
        const shared = beside?.parts.find((part) => part.layer === layer);
        if (shared !== undefined) parts.push(shared);
        if (shared !== undefined) continue;
        const directory = files.openDirectory(location);
        if (directory === undefined && required) throw missingLayer(layer);
        if (directory === undefined) continue;
        const part = new Part(files, layer, directory);
        parts.push(part);
        own.push(part);
      }
    } catch (error) {
      for (const part of own) part.directory[Symbol.dispose]();
      throw error;
    }
    return new TreeDirectory(files, parts, own);
  }

  [Symbol.dispose](): void {
    for (const part of this.own) part.directory[Symbol.dispose]();
  }

  /** The layers that have a share of this directory, top first. */
  get layers(): readonly string[] {
    return this.parts.map((part) => part.layer);
  }

  /**
   * Every name, whiteouts included, that the first `count` parts hold, once and in no order.
   *
   * Reads the listings of these parts, and `lookup` takes existence and type of a name from them afterwards: a name that is added later
   * is not found, and one that is removed later is found, with a `stat` that throws. Without this,
   * a diff of two trees of 15,000 names each, none of which both have, takes a quarter longer.
   */
  names(count = this.parts.length): Iterable<BytePath> {
    const parts = this.parts.slice(0, count);
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) return first.readNames();
    return new Set(parts.flatMap((part) => [...part.readNames()]));
  }

  /** The type of a name whose listing alone tells all: no directory, no whiteout, and the directory has one part. Most are such. */
  listedType(name: BytePath): EntryType | undefined {
    const [part] = this.parts;
    if (this.parts.length !== 1 || part === undefined) return undefined;
    const type = part.listedType(name);
    return type === 'directory' || type === 'char' || part.directoryKind === 'xwhiteouts' ? undefined : type;
  }

  /** What a name is in the first part that has it and, for a directory, which of the parts below that one are merged into it. */
  lookup(name: BytePath): Lookup {
    let top: TreeEntry | undefined;
    let opaque = false;
    let layers: string[] | undefined;
    for (const part of this.parts) {
      const entry = part.entry(name);
      if (entry === undefined) continue;
      const whiteout = unlessGone(false, () => isWhiteout(this.files, entry, part));
      if (top === undefined && whiteout) return { kind: 'whiteout', entry };
      top ??= entry;
      opaque = whiteout || entry.type !== 'directory';
      if (opaque) break;
      layers ??= [];
      layers.push(part.layer);
      opaque = unlessGone('merged', () => readDirectoryKind(this.files, entry.location)) === 'opaque';
      if (opaque) break;
    }
    return top === undefined ? { kind: 'absent' } : { kind: 'entry', entry: top, opaque, layers: layers ?? NO_LAYERS };
  }

  /** The entry of a name as the mounted tree shows it. */
  entry(name: BytePath): TreeEntry | undefined {
    const found = this.lookup(name);
    return found.kind === 'entry' ? found.entry : undefined;
  }

  /** Opens a child directory; undefined where there is none of that name. */
  openDirectory(name: BytePath): TreeDirectory | undefined {
    const found = this.lookup(name);
    return found.kind === 'entry' && found.layers.length > 0 ? this.openChild(name, found.layers) : undefined;
  }

  /**
   * Opens the child directory that `layers`, as a lookup gave them, make; without those that have lost it since.
   * @param beside a directory of the same path, open for longer.
   */
  openChild(name: BytePath, layers: readonly string[], beside?: TreeDirectory): TreeDirectory {
    const places = this.parts
      .filter((part) => layers.includes(part.layer))
      .map((part) => ({ layer: part.layer, location: childPath(part.directory.path, name) }));
    return TreeDirectory.open(this.files, places, false, beside);
  }

  /** The directory itself: what its topmost part says. */
  self(): TreeEntry {
    const { layer, directory } = this.parts[0] as Part;
    const location = directory.path;
    return { type: 'directory', stat: this.files.stat(location) as Stat, location, layer };
  }
}

/** An entry whose type is known from a listing. */
class ListedEntry implements TreeEntry {
  private known: Stat | undefined;

  constructor(
    private readonly files: FilesRead,
    readonly type: EntryType,
    private readonly directory: string,
    private readonly name: BytePath,
    readonly layer: string,
  ) {}

  get location(): HostPath {
    return childPath(this.directory, this.name);
  }

  get stat(): Stat {
    this.known ??= this.files.stat(this.location);
    if (this.known === undefined) throw noEntry(this.location);
    return this.known;
  }
}

/** The error for a layer, or a base, that is not there. */
export function missingLayer(path: string): LxcvError {
  if (/\/versions\/[a-z0-9]{12}\/[a-z0-9-]+$/.test(path)) {
    return new LxcvError('store-damaged', `the layer ${path} is gone`, 'Restore it from a backup of the store.');
  }
  return new LxcvError(
    'base-missing',
    `the base ${path}, on which this stands, is gone`,
    'Bring it back as it was, from a backup or another machine, and try again.',
  );
}
