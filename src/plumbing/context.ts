/** What every operation works with. */

import type { Host } from '../host/host.js';
import type { OpenRepository, RecoveredOperations } from '../store/store.js';

export interface Context {
  readonly host: Host;
  /** Absolute, without a trailing slash. */
  readonly lxcpath: string;
  /** Takes what an operation does while it lasts, and what a user should know besides its outcome. */
  readonly report: (event: ReportEvent) => void;
  /** Called when an operation turns out to be a large one, so that the program may give memory back early. */
  readonly onLarge?: (() => void) | undefined;
  /** The store's root, where it is known to be one that can be read. */
  readonly store?: string;
  /** While something is read: see plumbing/retry-until-stable.ts. */
  readonly reading?: Reading | undefined;
}

interface Reading {
  /** Called for each repository that is opened, before anything of it is read. */
  readonly opened: (repository: OpenRepository) => void;
  /** The operations that were found pending, and what came of finishing them. */
  readonly settled: RecoveredOperations;
}

export type ReportEvent =
  /** Something takes a while: `what` in the gerund, `saving the work on mysql`. */
  | { readonly kind: 'step'; readonly what: string }
  /** Something goes on, and has done so many steps by now; `what` as above. Reported again and again, until `progress-end`. */
  | { readonly kind: 'progress'; readonly what: string; readonly steps: number }
  | { readonly kind: 'progress-end' }
  /** What is shown stands on a base that was changed: it is not what was committed. May be reported more than once. */
  | { readonly kind: 'base-changed'; readonly base: string }
  /** Something was done or found that was not asked for. One line. */
  | { readonly kind: 'notice'; readonly message: string };
