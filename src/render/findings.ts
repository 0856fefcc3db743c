/** What fsck found. */

import { formatCount } from '../model/units.js';
import { escapeText } from './escape.js';
import { paint, type Style } from './style.js';

interface FindingView {
  readonly code: string;
  readonly where: string;
  readonly message: string;
  readonly hint: string;
}

/** Three lines for each finding: where, what is wrong, what to do. */
export function renderFindings(findings: readonly FindingView[], style: Style): string {
  if (findings.length === 0) return 'Nothing is wrong.';
  const blocks = findings.map(({ code, where, message, hint }) => {
    const head = `${escapeText(where)} ${paint(style, 'removed', `(${code})`)}`;
    return `${head}\n  ${escapeText(message)}\n  ${escapeText(hint)}`;
  });
  return [...blocks, formatCount(findings.length, 'finding', 'findings')].join('\n');
}
