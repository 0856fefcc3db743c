/** Does long pieces of work such that lxcv hears signals meanwhile, and a user sees that something goes on. */

import type { BatchJob } from '../model/job.js';
import type { Context } from './context.js';

/** How long lxcv may be deaf. */
const YIELD_INTERVAL_MS = 50;
/** How long a user is not told of what is as good as done. */
const PROGRESS_AFTER_MS = 1000;
/** From so many steps on there may be as many things in memory, and more that is not used any more. */
const LARGE_STEPS = 10_000;

/**
 * Does a job to its end.
 * @param what it does, in the gerund: `comparing mysql with its last version`.
 * @throws LxcvError `interrupted` where a signal came that is held back.
 */
export async function runJob<Result>(context: Context, what: string, job: BatchJob<Result>): Promise<Result> {
  const { host, report, onLarge } = context;
  const started = host.wallMs();
  let yieldedAt = started;
  let told = false;
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
        told = true;
      }
      await host.yieldToEventLoop();
      host.signals.check();
      yieldedAt = host.wallMs();
    }
  } finally {
    // What is thrown between two steps ends the job too.
    job.return(undefined as never);
    if (told) report({ kind: 'progress-end' });
  }
}
