/** Keeps the pause of a container that is committed while it runs short, and says what made it too long. */

import type { Stillness } from '../host/freeze.js';
import type { Recopied } from '../layer/copy-passes.js';
import type { LiveCopy } from '../layer/live-copy.js';
import { pathToText } from '../model/byte-path.js';
import { type ErrorData, LxcvError } from '../model/errors.js';
import { pathOf } from '../model/place.js';
import { formatBytes } from '../model/units.js';
import type { ContainerName } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { runJob } from '../plumbing/run-job.js';

/** A first pass that was that short leaves little for the frozen one. */
const SHORT_MS = 250;
/** So much is copied in a moment. */
const LITTLE_BYTES = 16 << 20;
/** So many passes at the most, besides the first and the frozen one. */
const PASSES_MAX = 5;
/** After a pass that copied more than this part of what the one before it did, another one is not worth it. */
const SHRINKS = 0.75;

interface Chase {
  readonly name: ContainerName;
  readonly copy: LiveCopy;
  readonly maxPauseMs: number;
  /** The first pass. */
  readonly tookMs: number;
}

/**
 * Copies again what changed, while the container runs, until little is left or that does not become less. The frozen pass does the same
 * once more, and takes as long as the last of these or less.
 * @throws LxcvError `pause-too-long` where that is longer than the container may stand still.
 */
export async function catchUp(context: Context, { name, copy, maxPauseMs, tookMs }: Chase): Promise<void> {
  if (tookMs < Math.min(SHORT_MS, maxPauseMs)) return;
  const { host } = context;
  let before = Number.POSITIVE_INFINITY;
  for (let pass = 1; ; pass += 1) {
    await copy.syncAgain(host.clocks());
    host.signals.check();
    const started = host.monotonicMs();
    await runJob(context, `copying what changed in ${name} meanwhile`, copy.copyAgain());
    const lastsMs = host.monotonicMs() - started;
    const { bytes } = copy.recopied;
    const fits = lastsMs <= maxPauseMs;
    const shrinks = bytes < before * SHRINKS;
    if (fits && (bytes <= LITTLE_BYTES || !shrinks || pass === PASSES_MAX)) return;
    if (pass === PASSES_MAX || (!shrinks && pass > 2))
      throw wouldLast(name, lastsMs, maxPauseMs, copy.recopied.largest);
    before = bytes;
  }
}

/** @param copy what was copied while it stood still. */
export function notStill(
  stillness: Exclude<Stillness, 'frozen'>,
  name: ContainerName,
  maxPauseMs: number,
  copy: LiveCopy | undefined,
): LxcvError {
  switch (stillness) {
    case 'gone':
      return stoppedMeanwhile(name);
    case 'thawed':
      return new LxcvError(
        'thawed-meanwhile',
        `${name} was to stand still for its commit, and somebody else thawed it (lxc-unfreeze, say)`,
        'Nothing was done: what was copied is not of one moment. Try again.',
      );
    case 'unguarded':
      return new LxcvError(
        'failed',
        `what would have thawed ${name} if lxcv were killed was killed itself`,
        'Nothing was done, and it runs again. Try again.',
      );
    case 'late':
      return new LxcvError(
        'pause-too-long',
        `${name} stood still for ${seconds(maxPauseMs)}, which is as long as it may, and was let go${because(copy?.recopied.largest, 'had changed')}`,
        helps(name, maxPauseMs * 3),
        { data: dataOf(name, copy?.recopied.largest) },
      );
  }
}

export function stoppedMeanwhile(name: ContainerName): LxcvError {
  return new LxcvError('container-in-use', `${name} stopped while it was committed`, 'Nothing was done. Try again.');
}

function wouldLast(name: ContainerName, lastsMs: number, maxPauseMs: number, largest: readonly Recopied[]): LxcvError {
  return new LxcvError(
    'pause-too-long',
    `${name} would stand still for about ${seconds(lastsMs)}, and may for ${seconds(maxPauseMs)}${because(largest, 'keeps changing')}`,
    helps(name, lastsMs * 2),
    { data: dataOf(name, largest) },
  );
}

function because(largest: readonly Recopied[] | undefined, what: string): string {
  const [first, ...others] = largest ?? [];
  if (first === undefined) return '';
  const more = others.map(formatRecopied).join(' and ');
  return `: ${formatRecopied(first)} ${what}${more === '' ? '' : `, and so ${what.startsWith('keeps') ? 'do' : 'had'} ${more}`}`;
}

function dataOf(container: ContainerName, [first]: readonly Recopied[] = []): ErrorData {
  return first === undefined ? { container } : { container, path: `/${pathToText(pathOf(first.place))}` };
}

function formatRecopied({ place, bytes }: Recopied): string {
  return `/${pathToText(pathOf(place))} (${formatBytes(bytes)})`;
}

function helps(name: ContainerName, enoughMs: number): string {
  const enough = Math.ceil(enoughMs / 1000);
  return `Stop what writes there, be it by a pre-freeze hook; allow more: lxcv commit --max-pause ${enough} ${name}; or stop ${name}, and commit it then.`;
}

function seconds(ms: number): string {
  return ms < 9950 ? `${Number((ms / 1000).toPrecision(2))} s` : `${Math.round(ms / 1000)} s`;
}
