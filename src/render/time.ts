/** Times, as a person reads them. */

import { formatCount } from '../model/units.js';
import type { Style } from './style.js';

/**
 * A time (ISO 8601, UTC) for a person: `5 minutes ago`, and beyond eight weeks, where a date says more, `2026-01-02`. A time
 * ahead of `style.now`, as a clock that was set back leaves behind, is `in 5 minutes`. For a pipe always
 * `2026-01-02 03:04:05Z`.
 */
export function formatTime(iso: string, style: Style): string {
  if (!style.human) return `${dateOf(iso)} ${iso.slice(iso.indexOf('T') + 1).slice(0, 8)}Z`;
  const time = new Date(iso);
  const ago = style.now.getTime() - time.getTime();
  const span = formatSpan(Math.abs(ago));
  if (span === undefined) return dateOf(time.toISOString());
  if (span === '') return 'just now';
  return ago > 0 ? `${span} ago` : `in ${span}`;
}

/** Years before 0 and after 9999 have a sign and six digits. */
function dateOf(iso: string): string {
  return iso.slice(0, iso.indexOf('T'));
}

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
