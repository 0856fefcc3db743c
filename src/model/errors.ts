/** The one error that lxcv throws: a code from a closed set, one line that says what is wrong, one that says what to do. */

/**
 * Every way in which lxcv ends without having done what was asked, with the exit code that it ends with:
 * 1 failed, 2 wrong usage, 3 refused in this state, 4 not found, 5 the store is damaged or unreadable.
 */
export const EXIT_CODES = {
  failed: 1,
  interrupted: 1,
  'not-root': 1,
  'no-lxc': 1,
  'no-space': 1,
  'operation-pending': 1,
  'read-only': 1,
  'too-long': 1,
  'output-failed': 1,
  'bad-name': 2,
  'bad-path': 2,
  'bad-revision': 2,
  'bad-usage': 2,
  'container-running': 3,
  'container-exists': 3,
  'container-in-use': 3,
  'container-edited': 3,
  'branch-exists': 3,
  'branch-in-use': 3,
  'branch-not-merged': 3,
  'tag-exists': 3,
  'backing-store': 3,
  'base-changed': 3,
  'base-running': 3,
  'delta-not-keepable': 3,
  'directory-in-use': 3,
  ephemeral: 3,
  'hook-refused': 3,
  idmapped: 3,
  'legacy-config': 3,
  'not-mounted': 3,
  'not-movable': 3,
  'not-text': 3,
  'nothing-to-commit': 3,
  'other-file-system': 3,
  'output-exists': 3,
  'pause-too-long': 3,
  'repository-locked': 3,
  'unsafe-owner': 3,
  'root-shared': 3,
  'thawed-meanwhile': 3,
  'container-not-found': 4,
  'lxcpath-not-found': 4,
  'repository-not-found': 4,
  'not-versioned': 4,
  'revision-not-found': 4,
  'branch-not-found': 4,
  'tag-not-found': 4,
  'path-not-found': 4,
  'base-missing': 4,
  'store-damaged': 5,
  'store-newer': 5,
} as const satisfies Record<string, 1 | 2 | 3 | 4 | 5>;

/** A code of {@link EXIT_CODES}: stable, for scripts that read `--json`. */
export type ErrorCode = keyof typeof EXIT_CODES;

/** What an error is about, for programs: names as they were given or found. */
export interface ErrorData {
  readonly container?: string;
  readonly repository?: string;
  readonly revision?: string;
  readonly branch?: string;
  readonly tag?: string;
  readonly path?: string;
  /** The version that was made all the same. */
  readonly id?: string;
  readonly number?: number;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** An expected failure. `message` and `hint` are each one line, for a person; `code` and `data` are for programs. */
export class LxcvError extends Error {
  override readonly name = 'LxcvError';
  readonly data: ErrorData | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint: string,
    options?: { cause?: unknown; data?: ErrorData | undefined },
  ) {
    super(message, options);
    this.data = options?.data;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}
