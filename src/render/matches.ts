/** Lines that grep found. */

import type { BytePath } from '../model/byte-path.js';
import { escapeName, escapeText, showOddBytes } from './escape.js';
import { paint, type Style } from './style.js';

export interface MatchView {
  readonly revision: string;
  readonly path: BytePath;
  readonly line: number;
  readonly text: Buffer;
}

/** `mysql@2:etc/hosts:3:text` a line. A pipe gets the bytes as they are; a terminal nothing that it would obey. */
export function renderMatches(matches: readonly MatchView[], style: Style): Buffer {
  return Buffer.concat(matches.flatMap((match) => [renderMatch(match, style), Buffer.from('\n')]));
}

/** `mysql@2:etc/hosts`, each once. */
export function renderFiles(matches: readonly MatchView[], style: Style): Buffer {
  const names = matches.map((match) => renderPlace(match, style).toString('latin1'));
  return Buffer.from([...new Set(names)].map((name) => `${name}\n`).join(''), 'latin1');
}

function renderMatch(match: MatchView, style: Style): Buffer {
  const place = Buffer.concat([renderPlace(match, style), Buffer.from(`:${paint(style, 'number', `${match.line}`)}:`)]);
  if (!style.human) return Buffer.concat([place, match.text]);
  const text = showOddBytes(match.text)
    .split('\t')
    .map((part) => escapeText(part));
  return Buffer.concat([place, Buffer.from(text.join('\t'))]);
}

function renderPlace({ revision, path }: MatchView, style: Style): Buffer {
  const name = style.human ? Buffer.from(paint(style, 'head', escapeName(path))) : Buffer.from(path, 'latin1');
  return Buffer.concat([Buffer.from(`${paint(style, 'branch', revision)}:`), name]);
}
