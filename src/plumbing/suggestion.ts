/** "Did you mean ...?", in the hint of an error and in its data. */

import type { ErrorData } from '../model/errors.js';
import { nearest } from '../model/nearest.js';
import { listContainers } from '../store/containers.js';
import { listRepositories } from '../store/store.js';
import type { Context } from './context.js';

interface Suggested {
  readonly hint: string;
  readonly data: ErrorData;
}

/** Puts what was probably meant before a hint. */
export function suggest(word: string, candidates: Iterable<string>, hint: string, data: ErrorData): Suggested {
  const suggestion = nearest(word, candidates);
  if (suggestion === undefined) return { hint, data };
  return { hint: `Did you mean ${suggestion}? ${hint}`, data: { ...data, suggestion } };
}

/** All that a NAME can stand for. */
export function namesOf({ host, lxcpath }: Context): Set<string> {
  return new Set([...listContainers(host, lxcpath), ...listRepositories(host, lxcpath)]);
}
