/** How standard output wants to be written to. */

import { isTerminal } from '../host/output.js';
import type { Style } from '../render/style.js';
import { displayWidth } from '../render/width.js';

const WIDTH_WITHOUT_TERMINAL = 80;
const ROWS_UNKNOWN = 24;

/** Colours and human times for a terminal; NO_COLOR (https://no-color.org) turns the colours off. */
export function terminalStyle(): Style {
  const human = isTerminal(1);
  return {
    human,
    colour: human && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
    width: human ? process.stdout.columns || WIDTH_WITHOUT_TERMINAL : WIDTH_WITHOUT_TERMINAL,
    now: new Date(),
  };
}

/** Help is for reading: on a wide terminal its lines do not become as wide. */
const HELP_WIDTH_MAX = 100;

/** Columns for help: those of the terminal, as far as they are good to read. */
export function helpWidth(): number {
  const columns = isTerminal(1) ? process.stdout.columns : undefined;
  return Math.min(columns || WIDTH_WITHOUT_TERMINAL, HELP_WIDTH_MAX);
}

/** The lines that standard output shows at once; undefined where it is no terminal. */
export function screenRows(): number | undefined {
  return isTerminal(1) ? process.stdout.rows || ROWS_UNKNOWN : undefined;
}

/** True where standard output is a terminal that cannot show all of a text, and the prompt after it, at once. */
export function isLongerThanScreen(text: string): boolean {
  const rows = screenRows();
  if (rows === undefined) return false;
  const columns = process.stdout.columns || WIDTH_WITHOUT_TERMINAL;
  let left = rows - 1;
  for (const line of text.split('\n')) {
    left -= Math.max(Math.ceil(displayWidth(line) / columns), 1);
    if (left < 0) return true;
  }
  return false;
}
