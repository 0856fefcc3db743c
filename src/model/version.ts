/** A version: an immutable node of a repository's graph, as its manifest has it. Names as in docs/glossary.md. */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** 12 characters of a-z and 0-9; names a version in every store. */
export type VersionId = Branded<'VersionId'>;
/** The name of a repository: a container's name, since it is named after the container it began with. */
export type RepositoryName = Branded<'RepositoryName'>;
/** The name of an LXC container: a directory under the lxcpath. */
export type ContainerName = Branded<'ContainerName'>;
/** The name of a branch. */
export type BranchName = Branded<'BranchName'>;
/** The name of a tag. */
export type TagName = Branded<'TagName'>;
/** What names a version and may come to name another, or nothing. */
export type RefName = BranchName | TagName;

/** Who made a version. `email` may be empty. */
export interface Author {
  readonly name: string;
  readonly email: string;
}

/** How many paths a version changed in its first parent, and the bytes of the regular files that it added or modified. */
export interface ChangeCounts {
  readonly added: number;
  readonly modified: number;
  readonly removed: number;
  readonly bytes: number;
}

/** A parent, and the digest of its manifest file (`sha256:` and 64 hex digits): what makes history tamper-evident. */
export interface Parent {
  readonly id: VersionId;
  readonly digest: string;
}

/** A lower directory outside the store that a version's tree stands on. */
export interface Base {
  /** Absolute path of the directory. */
  readonly path: string;
  /** What the directory looked like when it was taken as a base: see `fingerprint` in layer/base.ts. */
  readonly fingerprint: string;
}

/** A delta or keyframe of the repository, as a path relative to the repository's directory: `versions/ID/delta`. */
export type Layer = Branded<'Layer'>;

export interface Version {
  readonly id: VersionId;
  /** Local to the repository in this store: from 0, in the order of creation. */
  readonly number: number;
  readonly repository: RepositoryName;
  /** None for a root; the first is what `changes` compares with. */
  readonly parents: readonly Parent[];
  readonly message: string;
  readonly author: Author;
  /** UTC, ISO 8601 with milliseconds: `2026-01-02T03:04:05.678Z`. */
  readonly time: string;
  /** The container that it was committed from. */
  readonly container: ContainerName;
  /** The branch that it was committed on. */
  readonly branch: BranchName;
  /** What to mount for this version's tree, top first, all inside the store. */
  readonly chain: readonly Layer[];
  /** What lies under the chain, top first, outside the store. */
  readonly bases: readonly Base[];
  /** Against the first parent; of a first version against its bases. */
  readonly changes: ChangeCounts;
  /** For a version of a running container: how long it stood still, in milliseconds. */
  readonly pause?: number;
}

/** A version as a list shows it. */
export interface Summary
  extends Pick<Version, 'id' | 'number' | 'message' | 'author' | 'time' | 'branch' | 'changes' | 'pause'> {
  readonly parents: readonly Pick<Parent, 'id'>[];
}
