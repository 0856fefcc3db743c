/** Lines that grep found. */

import type { Match } from '../model/results.js';
import { escapeName, escapeText, showOddBytes } from './escape.js';
import { paint, type Style } from './style.js';

/** `mysql@2:etc/hosts:3:text` a line. A pipe gets the bytes as they are; a terminal nothing that it would obey. */
export function renderMatches(style: Style): (matches: readonly Match[]) => Buffer {
  return (matches) => Buffer.concat(matches.flatMap((match) => [renderMatch(match, style), Buffer.from('\n')]));
}

/** `mysql@2:etc/hosts`, each once; those of a file come one after the other. */
export function renderFiles(style: Style): (matches: readonly Match[]) => Buffer {
  let last: Match | undefined;
  return (matches) => {
    const names: Buffer[] = [];
    for (const match of matches) {
      if (match.path !== last?.path || match.revision !== last.revision) {
        names.push(renderPlace(match, style), Buffer.from('\n'));
      }
      last = match;
    }
    return Buffer.concat(names);
  };
}

function renderMatch(match: Match, style: Style): Buffer {
  const place = Buffer.concat([renderPlace(match, style), Buffer.from(`:${paint(style, 'number', `${match.line}`)}:`)]);
  if (!style.human) return Buffer.concat([place, match.text]);
  const text = showOddBytes(match.text)
    .split('\t')
    .map((part) => escapeText(part));
  return Buffer.concat([place, Buffer.from(text.join('\t'))]);
}

function renderPlace({ revision, path }: Match, style: Style): Buffer {
  const name = style.human ? Buffer.from(paint(style, 'head', escapeName(path))) : Buffer.from(path, 'latin1');
  return Buffer.concat([Buffer.from(`${paint(style, 'branch', revision)}:`), name]);
}
