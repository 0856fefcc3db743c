/** Shows a user, on standard error, what an operation reports. */

import type { ReportEvent } from '../plumbing/context.js';
import { escapeText } from '../render/escape.js';

/** Where what is reported is shown: standard error, or what a test gives. */
export type ReportStream = Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown };

/** To the start of the line, which is then erased to its end. */
const ERASE_LINE = '\r\x1b[K';
const COLUMNS_UNKNOWN = 80;

/** Steps are for those who watch, and so is progress, in one line that goes when it is over; notices are for everybody. */
export function reportTo(stream: ReportStream): (event: ReportEvent) => void {
  let showsProgress = false;
  const changedBases = new Set<string>();
  const erase = () => {
    if (showsProgress) stream.write(ERASE_LINE);
    showsProgress = false;
  };
  return (event) => {
    erase();
    switch (event.kind) {
      case 'step':
        if (stream.isTTY) stream.write(`${escapeText(event.what)} ...\n`);
        break;
      case 'base-changed':
        if (changedBases.has(event.base)) break;
        changedBases.add(event.base);
        stream.write(
          `lxcv: the base ${escapeText(event.base)} was changed: what stands on it is not what was committed\n`,
        );
        break;
      case 'notice':
        stream.write(`lxcv: ${escapeText(event.message)}\n`);
        break;
      case 'progress': {
        if (!stream.isTTY) break;
        const line = `${escapeText(event.what)} ... ${event.steps.toLocaleString('en')}`;
        // A line that is wrapped could not be erased.
        stream.write(line.slice(0, (stream.columns || COLUMNS_UNKNOWN) - 1));
        showsProgress = true;
        break;
      }
      case 'progress-end':
        break;
    }
  };
}
