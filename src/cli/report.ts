/** Shows a user, on standard error, what an operation reports. */

import type { ReportEvent } from '../operations/world.js';
import { escapeText } from '../render/escape.js';

/** Steps are for those who watch; notices are for everybody. */
export function reportTo(stream: NodeJS.WriteStream): (event: ReportEvent) => void {
  return (event) => {
    switch (event.kind) {
      case 'step':
        if (stream.isTTY) stream.write(`${escapeText(event.what)} ...\n`);
        break;
      case 'notice':
        stream.write(`lxcv: ${escapeText(event.message)}\n`);
        break;
    }
  };
}
