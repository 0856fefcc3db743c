/** Random numbers for tests, all from one seed: the run prints it, and `LXCV_SEED=…` repeats it. */

import { Random } from './storm.js';

/**
 * Random numbers for one purpose: the same whatever else runs, or ran before.
 * @param purpose what they are for, in words that no other test uses.
 */
export function randomFor(purpose: string): Random {
  const { LXCV_SEED: seed } = process.env;
  if (seed === undefined) throw new Error('LXCV_SEED is not set: see test/vitest.config.ts');
  let hash = Number(seed);
  for (const character of purpose) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  return new Random(hash);
}
