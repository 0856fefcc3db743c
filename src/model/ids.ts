/** Version ids: from nanoid, 12 characters that begin with a letter, so that none of them reads as a number. */

import { customRandom } from 'nanoid';
import type { VersionId } from './version.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const LETTERS_AND_DIGITS = `0123456789${LETTERS}`;

/** A new id, with 61 bits of the randomness given. */
export function newId(randomBytes: (size: number) => Uint8Array): VersionId {
  const random = (size: number) => randomBytes(size);
  return `${customRandom(LETTERS, 1, random)()}${customRandom(LETTERS_AND_DIGITS, 11, random)()}` as VersionId;
}
