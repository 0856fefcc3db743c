/** Times, sizes and counts, as a person reads them. */

import type { Style } from './style.js';

/**
 * A time (ISO 8601) for a person: `5 minutes ago`, and beyond eight weeks, where a date says more, `2026-01-02`. A time
 * ahead of `style.now`, as a clock that was set back leaves behind, is `in 5 minutes`. For a pipe always
 * `2026-01-02 03:04:05Z`.
 */
export function formatTime(iso: string, style: Style): string {
  const time = new Date(iso);
  if (!style.human) return `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const ago = style.now.getTime() - time.getTime();
  const span = formatSpan(Math.abs(ago));
  if (span === undefined) return time.toISOString().slice(0, 10);
  if (span === '') return 'just now';
  return ago > 0 ? `${span} ago` : `in ${span}`;
}

/** A number of bytes in IEC units: `0 B`, `4.2 MiB`, `684 MiB`. Eight characters at most, up to 1000 PiB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = 0;
  while (Math.round(value) >= 1024 && unit < IEC_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)} ${IEC_UNITS[unit]}`;
}

/** A number of things: `1 version`, `1,234 versions`. */
export function formatCount(count: number, singular: string, plural: string): string {
  return `${formatNumber(count)} ${count === 1 ? singular : plural}`;
}

/** A whole number with its thousands set apart: `1,234`. */
export function formatNumber(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

const IEC_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** A span of milliseconds in its largest fitting unit; empty below a minute, undefined beyond eight weeks. */
function formatSpan(span: number): string | undefined {
  if (span < MINUTE) return '';
  if (span < HOUR) return formatCount(Math.floor(span / MINUTE), 'minute', 'minutes');
  if (span < DAY) return formatCount(Math.floor(span / HOUR), 'hour', 'hours');
  if (span < 2 * WEEK) return formatCount(Math.floor(span / DAY), 'day', 'days');
  if (span < 8 * WEEK) return formatCount(Math.floor(span / WEEK), 'week', 'weeks');
  return undefined;
}
