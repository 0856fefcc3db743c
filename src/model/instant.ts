/** Moments to the nanosecond, as file systems keep them. */

/** A moment in nanoseconds since the epoch as ISO 8601 in UTC, with all nine digits: `2026-01-02T03:04:05.000000678Z`. */
export function formatInstant(ns: bigint): string {
  const rest = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const whole = new Date(Number((ns - rest) / MILLISECOND_NS)).toISOString();
  return whole.replace(/\.\d+Z$/, `.${String(rest).padStart(9, '0')}Z`);
}

const SECOND_NS = 1_000_000_000n;
const MILLISECOND_NS = 1_000_000n;
