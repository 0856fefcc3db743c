/** Waiting for what will be so, bounded by how often one looks and not by the clock: under load everything takes longer. */

import { isDeepStrictEqual } from 'node:util';

/** At this many looks, each with a pause before the next one, nothing comes of it any more. */
const LOOKS = 6000;
const PAUSE_MS = 10;

/** Looks again and again until that yields what is wanted. @throws with what it yielded last. */
export async function until<T>(look: () => T | Promise<T>, wanted: T): Promise<void> {
  await untilSo(look, (value) => isDeepStrictEqual(value, wanted), `to be ${JSON.stringify(wanted)}`);
}

/** Looks again and again until what that yields is so, and returns it. @throws with what it yielded last. */
export async function untilSo<T>(
  look: () => T | Promise<T>,
  isSo: (value: T) => boolean,
  wanted = 'another one',
): Promise<T> {
  for (let looks = 1; ; looks += 1) {
    const value = await look();
    if (isSo(value)) return value;
    if (looks === LOOKS) throw new Error(`${JSON.stringify(value)}, looked at ${looks} times, was ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
