/** Runs jobs: signals are seen meanwhile, and a user sees progress. */

import type { BatchJob } from '../model/job.js';
import type { Context } from './context.js';

/** The longest time between two checks for signals. */
const YIELD_INTERVAL_MS = 50;
/** Progress of shorter jobs is not reported. */
const PROGRESS_AFTER_MS = 1000;
/** A job of so many steps may hold as much in memory, and leaves more garbage. */
const LARGE_STEPS = 10_000;

/**
 * Runs a job to its end.
 * @param what it does, in the gerund: `comparing mysql with its last version`.
 * @throws LxcvError `interrupted` where a signal came that is held back.
 */
export async function runJob<Result>(context: Context, what: string, job: BatchJob<Result>): Promise<Result> {
  const { host, report, onLarge } = context;
  const started = host.wallMs();
  let yieldedAt = started;
  let isReported = false;
  let steps = 0;
  try {
    for (;;) {
      const step = job.next();
      if (step.done) return step.value;
      const isSmall = steps < LARGE_STEPS;
      steps += step.value ?? 1;
      if (isSmall && steps >= LARGE_STEPS) onLarge?.();
      const now = host.wallMs();
      // Where the clock was set, it is time too.
      if (Math.abs(now - yieldedAt) < YIELD_INTERVAL_MS) continue;
      if (now - started >= PROGRESS_AFTER_MS) {
        report({ kind: 'progress', what, steps });
        isReported = true;
      }
      await host.yieldToEventLoop();
      host.signals.check();
      yieldedAt = host.wallMs();
    }
  } finally {
    // What is thrown between two steps ends the job too; its result is not used.
    job.return(undefined as Result);
    if (isReported) report({ kind: 'progress-end' });
  }
}
