/** Authors as git writes them. */

import { LxcvError } from './errors.js';
import type { Author } from './version.js';

/** Parses `NAME <EMAIL>`. @throws LxcvError `bad-usage`. */
export function parseAuthor(text: string): Author {
  const { name, email } = /^(?<name>[^<>]*[^<>\s])\s*<(?<email>[^<>]*)>$/.exec(text.trim())?.groups ?? {};
  if (name !== undefined && email !== undefined) return { name, email };
  throw new LxcvError(
    'bad-usage',
    `${JSON.stringify(text)} is no author`,
    'Write it as git does: "Ada <ada@example.org>"',
  );
}
