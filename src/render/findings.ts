/** What fsck found. */

import type { Finding } from '../model/finding.js';
import { formatCount } from '../model/units.js';
import { escapeText } from './escape.js';
import { paint, type Style } from './style.js';

/** Three lines for each finding: where, what is wrong, what to do. */
export function renderFindings(findings: readonly Finding[], style: Style): string {
  if (findings.length === 0) return 'Nothing is wrong.';
  const blocks = findings.map(({ code, where, message, hint }) => {
    const head = `${escapeText(where)} ${paint(style, 'removed', `(${code})`)}`;
    return `${head}\n  ${escapeText(message)}\n  ${escapeText(hint)}`;
  });
  return [...blocks, formatCount(findings.length, 'finding', 'findings')].join('\n');
}
