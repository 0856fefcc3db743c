/** What becomes of an edit that somebody makes to a config in the moment in which lxcv replaces it. */

import { type LxcConfig, markerOf, ownValue, setMarker, setValue } from './lxc-config.js';

/** The settings that lxcv itself makes. */
const OWN_KEYS = ['lxc.rootfs.path', 'lxc.rootfs.options'];

/**
 * Carries the edit that made `edited` out of `base` over to `ours`, which was made out of `base` as well. Where the edit is
 * of lines that ours has no more, the edited text is kept, and ours's root file system is set in it; a root file system that the
 * edit itself set stays, for it was meant.
 */
export function carryEdit(base: LxcConfig, edited: LxcConfig, ours: LxcConfig): LxcConfig {
  const [start, baseEnd, editedEnd] = changedRange(base.lines, edited.lines);
  const removed = base.lines.slice(start, baseEnd);
  const added = edited.lines.slice(start, editedEnd);
  const at = placeOf(removed, base.lines.slice(start, start + 1), ours.lines);
  if (at < 0 || edited.unread !== base.unread) return graft(base, edited, ours);
  return { ...ours, lines: ours.lines.toSpliced(at, removed.length, ...added) };
}

/** The lines [start, end) of each in which two lists of lines differ. */
function changedRange(a: readonly string[], b: readonly string[]): [start: number, endOfA: number, endOfB: number] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start += 1;
  let tail = 0;
  while (tail < shorter - start && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  return [start, a.length - tail, b.length - tail];
}

/** Where in `lines` the removed ones are or, where none were, before which line the added ones belong; -1 for nowhere. */
function placeOf(removed: readonly string[], following: readonly string[], lines: readonly string[]): number {
  const wanted = removed.length > 0 ? removed : following;
  if (wanted.length === 0) return lines.length;
  return lines.findIndex((_, at) => wanted.every((line, offset) => lines[at + offset] === line));
}

function graft(base: LxcConfig, edited: LxcConfig, ours: LxcConfig): LxcConfig {
  const [path] = OWN_KEYS as [string];
  if (ownValue(edited, path) !== ownValue(base, path)) return edited;
  const mounted = OWN_KEYS.reduce((config, key) => {
    const value = ownValue(ours, key);
    return value === undefined ? config : setValue(config, key, value);
  }, edited);
  const marker = markerOf(ours);
  return marker === undefined ? mounted : setMarker(mounted, marker);
}
