/** Moments to the nanosecond, as file systems keep them. */

/**
 * A moment in nanoseconds since the epoch as ISO 8601 in UTC, with all nine digits: `2026-01-02T03:04:05.000000678Z`. What is
 * beyond the year 275760, as a container can set it, is told in seconds.
 */
export function formatInstant(ns: bigint): string {
  const rest = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const fraction = String(rest).padStart(9, '0');
  const milliseconds = Number((ns - rest) / MILLISECOND_NS);
  if (Math.abs(milliseconds) > DATE_MAX_MS) return `${(ns - rest) / SECOND_NS}.${fraction}`;
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, `.${fraction}Z`);
}

const SECOND_NS = 1_000_000_000n;
const MILLISECOND_NS = 1_000_000n;
const DATE_MAX_MS = 8.64e15;
