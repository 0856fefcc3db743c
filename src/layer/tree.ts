/**
 * The tree that a stack of layers makes, read as overlayfs would show it, without mounting it: lazily, a directory at a time,
 * and by open directories only, so that no symbolic link inside a layer leads anywhere.
 */

import { childPath, type Directory, type FilesRead, type Stat, unlessGone } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import type { BytePath } from '../model/byte-path.js';
import type { EntryType } from '../model/entry.js';
import { LxcvError } from '../model/errors.js';
import { type DirectoryMark, isWhiteout, readDirectoryMark } from './overlayfs.js';

/** One layer's share of a directory of a tree. */
class Part {
  private found: DirectoryMark | undefined;
  /** What it holds, once it was listed. */
  types?: Types;

  /** @param layer absolute path of the layer's root: with the directory's path in the tree it names this part. */
  constructor(
    private readonly files: FilesRead,
    readonly layer: string,
    readonly directory: Directory,
  ) {}

  get mark(): DirectoryMark {
    this.found ??= unlessGone('merged', () => readDirectoryMark(this.files, this.directory.path));
    return this.found;
  }
}

type Types = ReadonlyMap<BytePath, EntryType>;

const NO_LAYERS: readonly string[] = [];

/** What a tree holds under a name. `location` reaches it while the directory that it was looked up in is open. */
export interface TreeEntry {
  readonly type: EntryType;
  /** Read when it is asked for, where the listing of a directory told the type; throws ENOENT where it is gone by then. */
  readonly stat: Stat;
  readonly location: HostPath;
  /** The layer that shows it. */
  readonly layer: string;
}

/** What a stack of layers says of a name: `whiteout` is what a layer says to hide those that are not in the stack. */
export type Lookup =
  | { readonly kind: 'absent' }
  | { readonly kind: 'whiteout'; readonly entry: TreeEntry }
  | {
      readonly kind: 'entry';
      readonly entry: TreeEntry;
      /** For a directory: true where nothing below the stack shows through. */
      readonly closed: boolean;
      /** For a directory: the layers, top first, that have a share of it. */
      readonly layers: readonly string[];
    };

/** An open directory of a tree: its parts, top first. */
export class TreeDirectory implements Disposable {
  private constructor(
    private readonly files: FilesRead,
    private readonly parts: readonly Part[],
    /** Those that another does not hold open too, and for longer. */
    private readonly own: readonly Part[],
  ) {}

  /**
   * The root of the tree of these layers, top first; a base may be named by a symbolic link.
   * @param beside another such root, open for longer: what both have is not opened again.
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

  /** Every name, whiteouts included, that the first `count` parts hold, once and in no order. */
  names(count = this.parts.length): Iterable<BytePath> {
    const listed = this.parts.slice(0, count).map((part) => {
      part.types = unlessGone<Types>(new Map(), () => this.files.listTyped(part.directory.path));
      return part.types;
    });
    return listed.length === 1 ? (listed[0] as Types).keys() : new Set(listed.flatMap((types) => [...types.keys()]));
  }

  lookup(name: BytePath): Lookup {
    return this.lookupListed(name) ?? this.lookupLayers(name);
  }

  private lookupListed(name: BytePath): Lookup | undefined {
    const type = this.listedType(name);
    if (type === undefined) return undefined;
    const { directory, layer } = this.parts[0] as Part;
    return new ListedFile(this.files, type, directory.path, name, layer);
  }

  /** The type of a name of which the listing alone tells all: a file or its like, in a directory with one part. Most are such. */
  listedType(name: BytePath): EntryType | undefined {
    const part = this.parts[0];
    if (this.parts.length !== 1 || part?.types === undefined || part.mark === 'xwhiteouts') return undefined;
    const type = part.types.get(name);
    return type === 'directory' || type === 'char' ? undefined : type;
  }

  private lookupLayers(name: BytePath): Lookup {
    let top: TreeEntry | undefined;
    let closed = false;
    const layers: string[] = [];
    for (const part of this.parts) {
      const entry = this.entryIn(part, name);
      if (entry === undefined) continue;
      const whiteout = unlessGone(false, () => isWhiteout(this.files, entry, part));
      if (top === undefined) {
        top = entry;
        if (whiteout) return { kind: 'whiteout', entry };
      }
      closed = entry.type !== 'directory' || whiteout;
      if (closed) break;
      layers.push(part.layer);
      closed = unlessGone('merged', () => readDirectoryMark(this.files, entry.location)) === 'opaque';
      if (closed) break;
    }
    return top === undefined ? { kind: 'absent' } : { kind: 'entry', entry: top, closed, layers };
  }

  private entryIn({ layer, directory, types }: Part, name: BytePath): TreeEntry | undefined {
    if (types === undefined) {
      const location = childPath(directory.path, name);
      const stat = this.files.stat(location);
      return stat === undefined ? undefined : { type: stat.type, stat, location, layer };
    }
    const type = types.get(name);
    return type === undefined ? undefined : new ListedEntry(this.files, type, directory.path, name, layer);
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

/** An entry of which no more is known than its directory's listing says. */
class ListedEntry implements TreeEntry {
  private found: Stat | undefined;

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
    this.found ??= this.files.stat(this.location);
    if (this.found !== undefined) return this.found;
    throw Object.assign(new Error(`ENOENT: ${this.location} is gone`), { code: 'ENOENT' });
  }
}

/** One that is no directory, and all that there is to say of it: there may be a million, and each object counts. */
class ListedFile extends ListedEntry {
  get kind(): 'entry' {
    return 'entry';
  }

  get entry(): this {
    return this;
  }

  get closed(): true {
    return true;
  }

  get layers(): readonly string[] {
    return NO_LAYERS;
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
