/** How text is to look: what the terminal, or the pipe, can show. All that rendering knows of the world outside. */

import { styleText } from 'node:util';

export interface Style {
  /** Whether to paint at all; this alone decides, not the environment. */
  readonly colour: boolean;
  /** Columns of the terminal; means nothing unless `human`. */
  readonly width: number;
  /** What relative times count from. */
  readonly now: Date;
  /** True for a terminal: relative times, lines cut to `width`. False for a pipe: exact times, nothing cut. */
  readonly human: boolean;
}

const LOOKS = {
  number: 'bold',
  id: 'yellow',
  branch: ['bold', 'green'],
  tag: ['bold', 'yellow'],
  head: ['bold', 'cyan'],
  added: 'green',
  removed: 'red',
  modified: 'yellow',
  metadata: 'cyan',
  running: 'green',
  faint: 'dim',
  heading: 'bold',
} as const;

/** What a piece of text stands for, from which follows how it is painted. */
export type Role = keyof typeof LOOKS;

/** `text` in the look of its role; as it is where the style has no colour. */
export function paint(style: Style, role: Role, text: string): string {
  if (!style.colour || text === '') return text;
  const look = LOOKS[role];
  // Without this option later Node versions ask stdout and the environment whether to paint.
  return styleText(typeof look === 'string' ? look : [...look], text, { validateStream: false });
}
