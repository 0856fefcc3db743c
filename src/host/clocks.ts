/** What time it is. */

import { hrtime } from 'node:process';

/** A moment: in milliseconds since the epoch, by the clock that can be set, and since some other moment, by one that cannot. */
export interface Clocks {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** As `performance.now()`, for which Node would load a module, but from another moment on. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

export function readClocks(): Clocks {
  for (;;) {
    const passedMs = monotonicMs();
    const wallMs = Date.now();
    // Where the process was put aside between the two, they do not belong together.
    if (monotonicMs() - passedMs < 1) return { wallMs, monotonicMs: passedMs };
  }
}
