/** What the operations return, and the commands show. */

import type { BytePath } from './byte-path.js';
import type { ChangeList, ChangeRecord } from './changes.js';
import type { ContainerState } from './container-state.js';
import type { PackageFold } from './packages.js';
import type { Tag } from './tag.js';
import type {
  BranchName,
  ContainerName,
  RefName,
  RepositoryName,
  Summary,
  TagName,
  Version,
  VersionId,
} from './version.js';

/** A container, and where its working delta stands. */
interface ContainerHead {
  readonly repository: RepositoryName;
  /** null: detached. */
  readonly branch: BranchName | null;
  /** HEAD; null before the first version. */
  readonly version: Version | null;
  /** The branches and tags that name that. */
  readonly refs: readonly RefName[];
  /** Its name after the nearest tag: see plumbing/describe.ts. */
  readonly describe: string | null;
  readonly state: ContainerState;
}

export interface Status extends ContainerHead {
  readonly container: ContainerName;
  /** Against HEAD. */
  readonly changes: ChangeList<ChangeRecord>;
  /** The packages that differ, with those of the changes that are theirs. */
  readonly packages: readonly PackageFold[];
}

/** The statuses of all containers that have versions. */
export interface Statuses {
  readonly containers: readonly Status[];
  readonly troubles: readonly Trouble[];
}

export interface ListedContainer extends ContainerHead {
  readonly name: ContainerName;
  /** True where it holds what no version has yet; null where that is unknown, for a base or a layer is gone. */
  readonly dirty: boolean | null;
}

export interface Listing {
  readonly containers: readonly ListedContainer[];
  /** The repositories that no container stands on. */
  readonly repositories: readonly UnusedRepository[];
  readonly setAside: readonly ListedAside[];
  /** Those that lxcv has stopped, and could not start again. */
  readonly notStarted: readonly NotStarted[];
  /** What could not be read. */
  readonly troubles: readonly Trouble[];
}

export interface UnusedRepository {
  readonly name: RepositoryName;
  /** How many it has. */
  readonly versions: number;
}

/** What a container held that could not become a version. */
export interface ListedAside {
  readonly container: ContainerName;
  /** The directory, in the store. */
  readonly path: string;
  /** What it was written over. */
  readonly version: VersionId | null;
  /** When it was set aside. */
  readonly time: string;
  readonly reason: string;
}

/** A container that was stopped, and could not be started again. */
export interface NotStarted {
  readonly name: ContainerName;
  readonly reason: string;
}

/** A repository, or a container, of which something could not be read. */
export interface Trouble {
  readonly repository: RepositoryName;
  /** null where it is the repository itself. */
  readonly container: ContainerName | null;
  /** An `LxcvError`, or one of the system. */
  readonly error: Error;
}

export interface Log {
  readonly repository: RepositoryName;
  /** The container that the log was asked of; undefined where that is none. */
  readonly container: ContainerName | undefined;
  /** No version stands before a child of it. */
  readonly entries: readonly LogEntry[];
}

/** A version and what points at it. */
export interface LogEntry {
  /** May be read anew each time. */
  readonly version: Summary;
  /** The nearest ancestors that are shown too. */
  readonly parents: readonly VersionId[];
  /** The branches whose newest version it is. */
  readonly branches: readonly BranchName[];
  /** The tags that are on it. */
  readonly tags: readonly TagName[];
  /** The containers whose HEAD it is. */
  readonly heads: readonly LogHead[];
}

export interface LogHead {
  readonly container: ContainerName;
  /** null: detached. */
  readonly branch: BranchName | null;
}

export interface ShownVersion {
  readonly version: Version;
  readonly parents: readonly Version[];
  readonly branches: readonly BranchName[];
  readonly tags: readonly TagName[];
  /** The containers whose HEAD it is. */
  readonly heads: readonly ContainerName[];
  /** True where its delta has a sealed listing. */
  readonly sealed: boolean;
  /** Against its first parent or, without one, its bases. */
  readonly changes: ChangeList<ChangeRecord>;
  /** The packages that differ, with those of the changes that are theirs. */
  readonly packages: readonly PackageFold[];
}

export interface Branch {
  readonly name: BranchName;
  readonly version: Version;
  /** The branches and tags that name that, this branch among them. */
  readonly refs: readonly RefName[];
  /** The containers that are on it. */
  readonly containers: readonly ContainerName[];
}

export interface Branches {
  readonly repository: RepositoryName;
  readonly branches: readonly Branch[];
  /** The branch of the container by whose name they were asked for; null for a detached one, or for a repository. */
  readonly current: BranchName | null;
}

export interface NamedTag {
  readonly name: TagName;
  readonly version: Version;
  /** The branches and tags that name that. */
  readonly refs: readonly RefName[];
  /** Who set it, when and why, where it is annotated. */
  readonly annotation: Tag['annotation'];
}

export interface Tags {
  readonly repository: RepositoryName;
  readonly tags: readonly NamedTag[];
}

export interface CheckoutOutcome {
  readonly container: ContainerName;
  readonly repository: RepositoryName;
  readonly version: Version;
  /** The branches and tags that name it. */
  readonly refs: readonly RefName[];
  /** null: detached. */
  readonly branch: BranchName | null;
  /** The version that keeps what was not committed yet, where a container with such work was switched. */
  readonly saved: Version | undefined;
  /** Where that is, as it was, where it cannot become a version. */
  readonly setAside: DeltaAside | undefined;
}

/** A delta that cannot become a version. */
interface DeltaAside {
  /** A directory of the store. */
  readonly path: string;
  /** Why it cannot: a sentence. */
  readonly reason: string;
}

export interface Blame {
  /** The tree that the text is in: `mysql@2`. */
  readonly name: string;
  readonly lines: readonly BlamedLine[];
}

export interface BlamedLine {
  /** From 1. */
  readonly number: number;
  /** Without its line feed. */
  readonly text: Buffer;
  /** The version that introduced it; undefined where it is not committed yet. */
  readonly version: Version | undefined;
  /** The branches and tags that name that. */
  readonly refs: readonly RefName[];
}

/** A line that grep found. */
export interface Match {
  /** What it was found in: `mysql@2`. */
  readonly revision: string;
  readonly path: BytePath;
  /** From 1. */
  readonly line: number;
  /** Without its line feed. */
  readonly text: Buffer;
}

/** A file that was not searched to its end. */
export interface Unsearched {
  readonly revision: string;
  readonly path: BytePath;
  /** As a predicate: `took more than 10 s`. */
  readonly reason: string;
}
