/**
 * What ends an operation early. The engine knows it as `Signals`, one for each call; the program hands it those of its process,
 * which are held back while an operation changes something: it is rolled back, or finished where it has passed its commit
 * point, and then the process ends as the signal wants it.
 */

import { writeSync } from 'node:fs';
import { LxcvError } from '../model/errors.js';

/** What an operation is told of who wants it to end, and tells of whether it may. */
export interface Signals {
  /** Until this is disposed of something is being changed: the process must not end of itself. */
  hold(): Disposable;
  /** Aborts when the operation is to end; its reason is text that says why. For programs that need not run to their end. */
  readonly abort: AbortSignal;
  /** @throws LxcvError `interrupted` where it is to end. @param hint what has become of all; without, nothing was done. */
  check(hint?: string): void;
}

/** Signals of one call. @param hold is called as `Signals` has it; nothing is held back without it. */
export function signalsOf(abort: AbortSignal, hold: Signals['hold'] = () => NOT_HELD): Signals {
  return {
    hold,
    abort,
    check(hint = 'Nothing was done: everything is as it was before.') {
      if (!abort.aborted) return;
      const cause = typeof abort.reason === 'string' ? ` by ${abort.reason}` : '';
      throw new LxcvError('interrupted', `interrupted${cause}`, hint);
    },
  };
}

const NOT_HELD: Disposable = { [Symbol.dispose]() {} };
/** Of an operation that nobody interrupts. */
export const noSignals: Signals = signalsOf(new AbortController().signal);

const PROCESS_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

let held = 0;
let received: NodeJS.Signals | undefined;
let installed = false;
const controller = new AbortController();

/** Those of this process, for the program alone. A second signal while they are held ends the process at once, as a crash does. */
export const processSignals: Signals = signalsOf(controller.signal, () => {
  held += 1;
  if (!installed) for (const signal of PROCESS_SIGNALS) process.on(signal, note);
  installed = true;
  return {
    [Symbol.dispose]() {
      held -= 1;
    },
  };
});

/** Ends the process by the signal that was held back, if one was: who waits for it sees that it was interrupted. */
export function endAsSignalled(): void {
  if (received !== undefined) end(received);
}

/** Stays in place when nothing is held any more: Node delivers a signal only once the event loop turns. */
function note(signal: NodeJS.Signals): void {
  if (held === 0) end(signal);
  if (received !== undefined) {
    tellAtOnce(`lxcv: ended at once by a second signal: the next lxcv command finishes or rolls back what was begun\n`);
    end(signal);
  }
  received = signal;
  controller.abort(signal);
}

function tellAtOnce(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody can be told.
  }
}

function end(signal: NodeJS.Signals): void {
  for (const each of PROCESS_SIGNALS) process.removeListener(each, note);
  process.kill(process.pid, signal);
}
