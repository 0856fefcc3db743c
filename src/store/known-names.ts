/** The names that fsck knows: all that layout.ts gives, by the directory that they are in. */

/** The names that a directory of the store may have in it. */
export interface KnownNames {
  readonly files: RegExp;
  readonly directories: RegExp;
  /** Of these it is told what they are needed for, where they are of another type. */
  readonly others: RegExp;
}

const NONE = /^$/;

export const KNOWN_NAMES = {
  repository: {
    files: /^(graph|graph\.partial|lock|operations|seal\.lock|summaries|summaries\.partial)$/,
    directories: /^(aside|containers|empty|hooks|refs|restarting|versions)$/,
    others: NONE,
  },
  refs: { files: NONE, directories: /^(heads|tags)$/, others: NONE },
  version: {
    files: /^(entries|entries\.partial|sources)$/,
    directories: /^(files|keyframe-\d|work-left)$/,
    others: /^(config|delta|manifest\.json|work)$/,
  },
  working: { files: NONE, directories: /^work$/, others: /^(delta|working\.json)$/ },
} satisfies Record<string, KnownNames>;

/** Of a version's directory: what can be a layer. */
export const LAYER_NAME = /^(delta|keyframe-\d)$/;
