/** Reading without a lock: what another lxcv changed meanwhile is read again. */

import { type ErrorCode, LxcvError } from '../model/errors.js';
import { type OpenRepository, type RecoveredOperations, recoverPending, Unsettled } from '../store/store.js';
import { toldUnfinished } from '../store/unfinished.js';
import type { Context } from './context.js';

const ATTEMPTS_MAX = 50;

/**
 * Finishes what is pending, and reads until no operation on a repository that was opened by it came between; then returns what was
 * read, or throws what was thrown. Operations on other repositories do not count.
 * @param read works with the context that it is given, by which it is known which repositories it opened.
 * @param unfinished whether an operation that waits in one of them is reported by a notice; whoever takes the lock next reports it anyway.
 * @throws LxcvError `operation-pending` in the place of one that such an operation looks like.
 */
export async function retryUntilStable<T>(
  context: Context,
  read: (context: Context) => T | Promise<T>,
  unfinished: 'reported' | 'ignored' = 'reported',
): Promise<T> {
  const settled: RecoveredOperations = new Map();
  for (let attempt = 1; ; attempt += 1) {
    const reading = startReading(context, settled);
    const isFinal = () => attempt === ATTEMPTS_MAX || reading.isUndisturbed();
    try {
      const result = await read(reading.context);
      if (!isFinal()) continue;
      reading.reportNoticed(unfinished === 'reported');
      return result;
    } catch (error) {
      if (error instanceof Unsettled) {
        const waiting = (holder: string) =>
          context.report({ kind: 'step', what: `waiting for another lxcv: ${holder}` });
        await recoverPending(context.host, error, settled, waiting);
        attempt -= 1;
        continue;
      }
      if (!isFinal()) continue;
      const reason = reading.reasonOf(error);
      reading.reportNoticed(unfinished === 'reported' && reason === error, error);
      throw reason;
    }
  }
}

/** What an operation that waits for its last steps can look like. */
const LOOKS_LIKE: readonly ErrorCode[] = [
  'store-damaged',
  'base-missing',
  'container-edited',
  'not-versioned',
  'revision-not-found',
];

function startReading(context: Context, settled: RecoveredOperations) {
  /** By its log, how long that was when the repository was opened. */
  const lengths = new Map<string, number>();
  const notices = new Set<string>();
  const waiting: LxcvError[] = [];
  const opened = ({ layout, unfinished }: OpenRepository) => {
    const { operations } = layout;
    if (lengths.has(operations)) return;
    lengths.set(operations, lengthOf(context, operations));
    if (unfinished !== undefined) waiting.push(toldUnfinished(layout, unfinished));
  };
  return {
    context: {
      ...context,
      reading: { opened, settled },
      report: (event) => {
        if (event.kind === 'notice') notices.add(event.message);
        else context.report(event);
      },
    } satisfies Context,
    /** Every operation makes a log longer before anything of it can be seen, and when it is over. */
    isUndisturbed: () => [...lengths].every(([log, length]) => lengthOf(context, log) === length),
    /** What seems lost or damaged is neither, where an operation waits. */
    reasonOf: (error: unknown) =>
      error instanceof LxcvError && LOOKS_LIKE.includes(error.code) ? (waiting[0] ?? error) : error,
    /** Reports what was noticed: each thing once, however often it was read, and not what the error says too. */
    reportNoticed(unfinished: boolean, error?: unknown) {
      for (const { message, hint } of unfinished ? waiting : []) notices.add(`${message}. ${hint}`);
      for (const message of notices) {
        if (!(error instanceof Error && message.includes(error.message))) context.report({ kind: 'notice', message });
      }
    },
  };
}

function lengthOf({ host: { files } }: Context, log: string): number {
  return files.stat(log)?.size ?? 0;
}
