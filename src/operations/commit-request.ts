/** What a commit is asked to do. */

import type { Author, ContainerName } from '../model/version.js';

export interface CommitRequest {
  readonly container: ContainerName;
  readonly message: string;
  /** Who commits; git's or the system's idea of that where it is left out. */
  readonly author?: Author | undefined;
  /** Stops a running container for its first commit, and starts it again; later ones are made while it runs. */
  readonly restart?: boolean | undefined;
  /** Makes a version also where nothing changed. */
  readonly allowEmpty: boolean;
  /** Takes a base that was changed as it is now. */
  readonly acceptBase: boolean;
  /** For how long a running container may stand still, in milliseconds. */
  readonly maxPauseMs?: number | undefined;
}

export const MAX_PAUSE_MS = 10_000;

/** The same while it is carried out: the author is being looked up. */
export interface CommitOrder extends Omit<CommitRequest, 'author'> {
  readonly author: Promise<Author>;
}
