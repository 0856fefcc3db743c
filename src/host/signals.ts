/**
 * Signals that end a process, held back while an operation changes something: it is taken back, or finished where it has
 * passed its commit point, and then the process ends as the signal wants it.
 */

import { LxcvError } from '../model/errors.js';

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export interface Signals {
  /** Holds signals back until disposed of. A second one ends the process at once, as a crash does. */
  hold(): Disposable;
  /** The first that came while they were held. */
  readonly received: NodeJS.Signals | undefined;
  /** Aborts with the first: for programs that need not run to their end. */
  readonly abort: AbortSignal;
  /** @throws LxcvError `interrupted` where one came. */
  check(): void;
}

let held = 0;
let received: NodeJS.Signals | undefined;
let installed = false;
const controller = new AbortController();

export const signals: Signals = {
  hold() {
    held += 1;
    if (!installed) for (const signal of SIGNALS) process.on(signal, note);
    installed = true;
    return {
      [Symbol.dispose]() {
        held -= 1;
      },
    };
  },
  get received() {
    return received;
  },
  abort: controller.signal,
  check() {
    if (received === undefined) return;
    throw new LxcvError(
      'interrupted',
      `interrupted by ${received}`,
      'Nothing was done: everything is as it was before.',
    );
  },
};

/** Ends the process by the signal that was held back, if one was: who waits for it sees that it was interrupted. */
export function endAsSignalled(): void {
  if (received !== undefined) end(received);
}

/** Stays in place when nothing is held any more: a signal is told to JavaScript only once that has nothing else to do. */
function note(signal: NodeJS.Signals): void {
  if (held === 0 || received !== undefined) end(signal);
  received = signal;
  controller.abort();
}

function end(signal: NodeJS.Signals): void {
  for (const each of SIGNALS) process.removeListener(each, note);
  process.kill(process.pid, signal);
}
