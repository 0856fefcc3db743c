/** Revisions: text that names a version, `NAME[@REV]`, parsed to syntax here and resolved where the store is known. */

import { LxcvError } from './errors.js';
import { parseContainerName } from './names.js';
import type { ContainerName } from './version.js';

/** `NAME[@REV]`. NAME is a container's or, failing that, a repository's. */
export interface Revision {
  readonly name: ContainerName;
  /** What stands behind the `@`; `HEAD` where nothing does. */
  readonly point: Point;
  /** The whole text, for messages. */
  readonly text: string;
}

/** REV: where to begin, and the steps to take from there towards the roots. */
interface Point {
  /** A number, a branch, a tag, an id or its unique prefix, or `HEAD`. */
  readonly start: string;
  readonly steps: readonly Step[];
}

/** `~n`: n times the first parent. `^n`: the n-th parent; `^0` is the version itself. */
type Step = { readonly kind: 'ancestor'; readonly count: number } | { readonly kind: 'parent'; readonly index: number };

const POINT = /^(?<start>[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?<steps>(?:[~^]\d{0,6})*)$/;

/** @throws LxcvError `bad-revision` or `bad-name`. */
export function parseRevision(text: string): Revision {
  const at = text.indexOf('@');
  const [name, rev] = at < 0 ? splitSteps(text) : [text.slice(0, at), text.slice(at + 1)];
  if (at >= 0 && rev === '') throw badRevision(text);
  return { name: parseContainerName(name), point: parsePoint(rev, text), text };
}

/** Parses REV alone. @throws LxcvError `bad-revision`. */
function parsePoint(rev: string, text: string): Point {
  const groups = POINT.exec(rev)?.groups;
  if (groups === undefined) throw badRevision(text);
  return { start: groups.start ?? 'HEAD', steps: [...(groups.steps ?? '').matchAll(/([~^])(\d*)/g)].map(toStep) };
}

function toStep([, sign, digits]: RegExpMatchArray): Step {
  const number = digits === '' ? 1 : Number(digits);
  return sign === '~' ? { kind: 'ancestor', count: number } : { kind: 'parent', index: number };
}

/** `mysql~2` is `mysql@HEAD~2`. */
function splitSteps(text: string): [string, string] {
  const cut = text.search(/[~^]/);
  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut)];
}

function badRevision(text: string): LxcvError {
  return new LxcvError(
    'bad-revision',
    `${JSON.stringify(text)} is no revision`,
    'Write NAME, NAME@NUMBER, NAME@BRANCH or NAME@ID, and ~N or ^N behind it for its ancestors.',
  );
}
