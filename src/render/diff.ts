/** What differs between two trees. */

import type { BytePath } from '../model/byte-path.js';
import type { Change, ChangeKind } from '../model/changes.js';
import { escapeName } from './escape.js';
import { paint, type Style } from './style.js';

export interface DiffView {
  readonly changes: readonly (Change & { readonly movedFrom?: BytePath; readonly movedTo?: BytePath })[];
  readonly config: { readonly removed: readonly string[]; readonly added: readonly string[] };
}

const LETTERS: Readonly<Record<ChangeKind, string>> = { added: 'A', modified: 'M', removed: 'D', metadata: 'm' };

/** A line each: a letter and the path. */
export function renderDiff({ changes }: DiffView, style: Style): string {
  return changes.map(({ kind, path }) => `${paint(style, kind, LETTERS[kind])}\t${escapeName(path)}`).join('\n');
}
