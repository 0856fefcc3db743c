/** Where everything lies in the store: the one owner of its names. See docs/store-format.md; LXC's own files are in lxc-layout.ts. */

import { isRepositoryName, isVersionId } from '../model/names.js';
import type { BranchName, ContainerName, Layer, RepositoryName, TagName, VersionId } from '../model/version.js';

/**
 * The store of the containers under an lxcpath lies beside it: `/var/lib/lxcv` beside `/var/lib/lxc`. Whatever links lead there, it is the
 * same: that beside the directory itself.
 * @param files follow them.
 */
export function storeRoot(files: { realPath(path: string): string | undefined }, lxcpath: string): string {
  return `${files.realPath(lxcpath) ?? lxcpath}v`;
}

export function storeFile(root: string): string {
  return `${root}/store.json`;
}

/** The message of a commit that was refused. */
export function messageFile(root: string, container: ContainerName): string {
  return `${root}/${MESSAGE}${container}`;
}

/** What store.json is called until it takes its place. @param suffix of its own for each process. */
export function stagedStoreFile(root: string, suffix: string): string {
  return `${root}/${STAGED_STORE}${suffix}`;
}

export function isStagedStoreFile(name: string): boolean {
  return name.startsWith(STAGED_STORE);
}

const STAGED_STORE = '.store-';
const MESSAGE = '.message-';

/** True for the name of what lxcv makes in a store besides repositories. */
export function isOfStore(name: string): boolean {
  return name === 'store.json' || name.startsWith(MESSAGE) || isStagedStoreFile(name);
}

/** Where a repository's directory has its versions. */
export function versionsIn(repository: string): string {
  return `${repository}/versions`;
}

/** The files of a repository. */
export class RepositoryLayout {
  readonly root: string;

  constructor(
    readonly storeRoot: string,
    readonly name: RepositoryName,
  ) {
    this.root = `${storeRoot}/${name}`;
  }

  get lock(): string {
    return `${this.root}/lock`;
  }

  /** Held by the process that seals versions of this repository: that takes long, and changes nothing else. */
  get sealLock(): string {
    return `${this.root}/seal.lock`;
  }

  get operations(): string {
    return `${this.root}/operations`;
  }

  /** Made again where it is missing: see store/graph-cache.ts. */
  get graph(): string {
    return `${this.root}/graph`;
  }

  /** Made again where it is missing: see store/summary-cache.ts. */
  get summaries(): string {
    return `${this.root}/summaries`;
  }

  get versions(): string {
    return versionsIn(this.root);
  }

  get refs(): string {
    return `${this.root}/refs`;
  }

  get branches(): string {
    return `${this.refs}/heads`;
  }

  get tags(): string {
    return `${this.refs}/tags`;
  }

  tag(name: TagName): string {
    return `${this.tags}/${name}`;
  }

  /** The lowest layer of a container's mounts: see docs/decisions/0004-guard-layer.md. */
  guard(container: ContainerName): string {
    return `${this.root}/containers/${container}`;
  }

  get guards(): string {
    return `${this.root}/containers`;
  }

  /** A program of the administrator's, run at the moment that its name tells. */
  hook(name: string): string {
    return `${this.root}/hooks/${name}`;
  }

  /** Containers that were stopped, and are to be started again: see store/restarts.ts. There is none where there are none. */
  get restarting(): string {
    return `${this.root}/restarting`;
  }

  restart(container: ContainerName): string {
    return `${this.restarting}/${container}`;
  }

  /** A directory that stays empty: a read-only overlay needs a second layer. */
  get empty(): string {
    return `${this.root}/empty`;
  }

  /** Records of deltas that cannot become versions, and are in no use any more: see store/set-aside.ts. */
  get asides(): string {
    return `${this.root}/aside`;
  }

  aside(id: VersionId): string {
    return `${this.asides}/${id}`;
  }

  /** The same until the commit point has passed. */
  stagedAside(id: VersionId): string {
    return `${this.asides}/.${id}`;
  }

  branch(name: BranchName): string {
    return `${this.branches}/${name}`;
  }

  version(id: VersionId): VersionLayout {
    return new VersionLayout(this, id);
  }

  /** The absolute path of a layer. */
  layer(layer: Layer): string {
    return `${this.root}/${layer}`;
  }
}

/** The files of a version, or of the working delta that will become one. */
export class VersionLayout {
  readonly root: string;

  constructor(
    repository: RepositoryLayout,
    readonly id: VersionId,
  ) {
    this.root = `${repository.versions}/${id}`;
  }

  /** What makes the directory a version. */
  get manifest(): string {
    return `${this.root}/${MANIFEST}`;
  }

  /** The manifest until the commit point has passed. */
  get stagedManifest(): string {
    return `${this.root}/manifest.staged`;
  }

  /** What makes the directory a working delta. */
  get working(): string {
    return `${this.root}/working.json`;
  }

  /** The next record of a working delta until the commit point has passed. */
  get stagedWorking(): string {
    return `${this.root}/.working.staged`;
  }

  get config(): string {
    return `${this.root}/config`;
  }

  /** Copies of the private hooks and the fstab that the config names. */
  get files(): string {
    return `${this.root}/files`;
  }

  /** Of a version that was copied from a running container: which files of the source need no second look. */
  get sources(): string {
    return `${this.root}/sources`;
  }

  /** There while lxcv has, or may have, the container frozen of whose delta this is to be a copy. */
  get freezeMark(): string {
    return `${this.root}/frozen`;
  }

  /** The sealed listing of the delta: see model/mtree.ts. */
  get entries(): string {
    return `${this.root}/entries`;
  }

  /** What of it was written so far. */
  get partialEntries(): string {
    return `${this.root}/entries.partial`;
  }

  /** While a running container is copied: see layer/live-copy.ts. */
  get links(): string {
    return `${this.root}/links`;
  }

  get delta(): string {
    return `${this.root}/delta`;
  }

  /** Overlayfs's workdir while this is a working delta; afterwards a file, so that no mount can write to the delta. */
  get work(): string {
    return `${this.root}/work`;
  }

  keyframe(rank: number): string {
    return `${this.root}/keyframe-${rank}`;
  }

  get deltaLayer(): Layer {
    return `versions/${this.id}/delta` as Layer;
  }

  keyframeLayer(rank: number): Layer {
    return `versions/${this.id}/keyframe-${rank}` as Layer;
  }
}

/** A version's manifest, from the directory of versions on. */
export function manifestBelow(id: VersionId): string {
  return `${id}/${MANIFEST}`;
}

const MANIFEST = 'manifest.json';

/** The version whose delta a layer is; undefined for a keyframe. */
export function deltaOf(layer: Layer): VersionId | undefined {
  const [, id, kind] = layer.split('/');
  return kind === 'delta' ? (id as VersionId) : undefined;
}

/** The repository and the working delta whose upper directory a path is, or undefined for one outside the store. */
export function parseUpper(root: string, upper: string): { repository: RepositoryName; id: VersionId } | undefined {
  if (!upper.startsWith(`${root}/`)) return undefined;
  const [repository, versions, id, delta, ...rest] = upper.slice(root.length + 1).split('/');
  if (versions !== 'versions' || delta !== 'delta' || rest.length > 0) return undefined;
  if (!isRepositoryName(repository ?? '') || !isVersionId(id ?? '')) return undefined;
  return { repository: repository as RepositoryName, id: id as VersionId };
}

/** Where a file lies until it takes the place of the one at `path`. */
export function stagedFor(path: string): string {
  return `${directoryOf(path)}/.lxcv-staged`;
}

/** The same for a ref of which an operation is the only change. */
export function stagedRef(path: string): string {
  return `${directoryOf(path)}/.staged`;
}

/** The same for a cache, which is written without an operation. */
export function partialFor(path: string): string {
  return `${path}.partial`;
}

/** What overlayfs makes in its workdir. */
export function scratchOf(work: string): string {
  return `${work}/work`;
}

/** What overlayfs makes there for a mount that was `volatile`, and leaves. */
export function volatileMark(work: string): string {
  return `${scratchOf(work)}/incompat/volatile`;
}

/** A workdir that could not be removed when its delta was closed. */
export function leftWork(work: string): string {
  return `${work}-left`;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
