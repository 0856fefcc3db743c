/** Moments to the nanosecond, as file systems keep them. */

/**
 * A moment in nanoseconds since the epoch as ISO 8601 in UTC, with all nine digits: `2026-01-02T03:04:05.000000678Z`. A moment
 * beyond the year 275760, which a container can set, is given in seconds.
 */
export function formatInstant(ns: bigint): string {
  const { seconds, nanoseconds } = splitNs(ns);
  const fraction = String(nanoseconds).padStart(9, '0');
  const milliseconds = Number(seconds) * 1000;
  if (Math.abs(milliseconds) > DATE_MAX_MS) return `${seconds}.${fraction}`;
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, `.${fraction}Z`);
}

/** A moment as a timespec has it: before the epoch the seconds are rounded down, and `nanoseconds` is never negative. */
export function splitNs(ns: bigint): { readonly seconds: bigint; readonly nanoseconds: bigint } {
  const nanoseconds = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  return { seconds: (ns - nanoseconds) / SECOND_NS, nanoseconds };
}

/** The inverse. */
export function joinNs(seconds: bigint, nanoseconds: bigint): bigint {
  return seconds * SECOND_NS + nanoseconds;
}

const SECOND_NS = 1_000_000_000n;
const DATE_MAX_MS = 8.64e15;
