/** Revisions: text that names a version, `NAME[@REV]`, parsed to syntax here and resolved where the store is known. */

import { type BytePath, encodeArgument, unquoteBytes } from './byte-path.js';
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
  readonly start: Start;
  readonly steps: readonly Step[];
}

/** `text` of a name: a branch, a tag, an id or its unique prefix, or what `describe` gives. Which of these it is the repository tells. */
type Start =
  | { readonly kind: 'HEAD' | 'WORK' | 'BASE' }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'name'; readonly text: string };

/** `~n`: n times the first parent. `^n`: the n-th parent; `^0` is the version itself. */
type Step = { readonly kind: 'ancestor'; readonly count: number } | { readonly kind: 'parent'; readonly index: number };

const POINT = /^(?<start>[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?<steps>(?:[~^]\d{0,6})*)$/;

/** @throws LxcvError `bad-revision` or `bad-name`. */
export function parseRevision(text: string): Revision {
  const at = text.indexOf('@');
  const [name, rev] = at < 0 ? splitSteps(text) : [text.slice(0, at), text.slice(at + 1)];
  if (at >= 0 && rev === '') throw badRevision(text);
  if (name === '' && text !== '') {
    throw new LxcvError('bad-name', `${JSON.stringify(text)} names no container`, 'It stands before the @: NAME@REV.');
  }
  return { name: parseContainerName(name), point: parsePoint(rev, text), text };
}

/** `REV:PATH`: a file or directory in what a revision names. */
export interface FileRevision {
  readonly revision: Revision;
  readonly path: BytePath;
}

/** Parses `NAME[@REV]:PATH`, or a revision alone. @throws LxcvError `bad-revision`, `bad-name`, `bad-path`. */
export function parseFileRevision(text: string): Revision | FileRevision {
  const colon = text.indexOf(':');
  if (colon < 0) return parseRevision(text);
  return { revision: parseRevision(text.slice(0, colon)), path: parseTreePath(text.slice(colon + 1)) };
}

/**
 * A path as a user types it, absolute or not, as one in a tree: it always begins at the container's root. It may stand in C's
 * quotes, as `diff` prints what is not plain text: `"etc/caf\351"`.
 * @param text as `decodeArgument` gives it.
 * @throws LxcvError `bad-path` for one that leads upwards.
 */
export function parseTreePath(text: string): BytePath {
  const typed = encodeArgument(text);
  const bytes = unquoteBytes(typed) ?? typed;
  const parts = bytes.split('/').filter((part) => part !== '' && part !== '.');
  if (!parts.includes('..') && !bytes.includes('\0')) return parts.join('/') as BytePath;
  throw new LxcvError(
    'bad-path',
    `${JSON.stringify(text)} is no path in a container`,
    'Write it from the root of the container, without "..".',
  );
}

/**
 * `NAME@A..B` and `NAME@A..NAME@B` are two revisions; without A or B that side is HEAD. All else is one. Names of containers may hold
 * two dots, so that an `@` must stand before them.
 */
export function parseRange(text: string): [from: string, to?: string] {
  const {
    name = '',
    from = '',
    to = '',
  } = /^(?<name>[^@]+)@(?<from>(?:[^@]*[^@.])?)\.\.(?<to>(?!\.).*)$/s.exec(text)?.groups ?? {};
  if (name === '') return [text];
  const side = (rev: string) => (rev.includes('@') ? rev : `${name}@${rev === '' ? 'HEAD' : rev}`);
  return [side(from), side(to)];
}

/** Parses REV alone. @throws LxcvError `bad-revision`. */
function parsePoint(rev: string, text: string): Point {
  const groups = POINT.exec(rev)?.groups;
  if (groups === undefined) throw badRevision(text);
  return {
    start: parseStart(groups.start ?? 'HEAD'),
    steps: [...(groups.steps ?? '').matchAll(/([~^])(\d*)/g)].map(toStep),
  };
}

function parseStart(text: string): Start {
  if (text === 'HEAD' || text === 'WORK' || text === 'BASE') return { kind: text };
  return /^\d+$/.test(text) ? { kind: 'number', number: Number(text) } : { kind: 'name', text };
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

/** What to do instead where one version is wanted and `A..B` was given; undefined for all else. */
export function rangeHint(text: string): string | undefined {
  const [from, to] = parseRange(text);
  if (to === undefined) return undefined;
  return `What differs: lxcv diff ${from} ${to}; the versions that led there: lxcv log ${to}`;
}

function badRevision(text: string): LxcvError {
  return new LxcvError(
    'bad-revision',
    `${JSON.stringify(text)} is not a valid revision`,
    rangeHint(text) ?? 'Write NAME, NAME@NUMBER, NAME@BRANCH or NAME@ID, and ~N or ^N behind it for its ancestors.',
  );
}
