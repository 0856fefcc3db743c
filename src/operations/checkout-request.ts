/** What a checkout is asked to do. */

import type { BranchName, ContainerName } from '../model/version.js';

export interface CheckoutRequest {
  /** `NAME[@REV]`. */
  readonly revision: string;
  /** The container to make; without it, the one that the revision names is switched in place. */
  readonly container?: ContainerName | undefined;
  /** The branch to be on: made where it is not there. */
  readonly branch?: BranchName | undefined;
  /** On no branch. */
  readonly detach: boolean;
  /** Stops a running container for a switch in place, and starts it again. */
  readonly restart: boolean;
  /** Takes a base that was changed as it is now. */
  readonly acceptBase: boolean;
}
