/** What a checkout is asked to do, and what came of it. */

import type { BranchName, ContainerName, RefName, RepositoryName, Version } from '../model/version.js';

export interface CheckoutRequest {
  /** `NAME[@REV]`. */
  readonly revision: string;
  /** The container to make; without it, the one that the revision names is switched in place. */
  readonly container?: ContainerName;
  /** The branch to be on: made where it is not there. */
  readonly branch?: BranchName;
  /** On no branch. */
  readonly detach: boolean;
  /** Stops a running container for a switch in place, and starts it again. */
  readonly restart: boolean;
  /** Takes a base that was changed as it is now. */
  readonly acceptBase: boolean;
}

/** A delta that cannot become a version. */
interface DeltaAside {
  /** A directory of the store. */
  readonly path: string;
  /** Why it cannot: a sentence. */
  readonly reason: string;
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
