/** Tags: names that stay on one version. One that is annotated also says who set it, when and why. */

import * as v from 'valibot';
import { damaged, parseVersioned, versionIdSchema } from './manifest.js';
import type { Author, VersionId } from './version.js';

const TAG_FORMAT = 1;

export interface Tag {
  readonly version: VersionId;
  readonly annotation?: {
    readonly message: string;
    readonly author: Author;
    /** UTC, ISO 8601 with milliseconds. */
    readonly time: string;
  };
}

const tagSchema = v.strictObject({
  format: v.literal(TAG_FORMAT),
  version: versionIdSchema,
  annotation: v.exactOptional(
    v.strictObject({
      message: v.string(),
      author: v.strictObject({ name: v.string(), email: v.string() }),
      time: v.string(),
    }),
  ),
});

export function encodeTag(tag: Tag): string {
  return `${JSON.stringify(v.parse(tagSchema, { format: TAG_FORMAT, ...tag }), null, 2)}\n`;
}

/** @param where names the file in the error. @throws LxcvError `store-newer`, `store-damaged`. */
export function decodeTag(bytes: Uint8Array, where: string): Tag {
  const parsed = v.safeParse(tagSchema, parseVersioned(bytes, TAG_FORMAT, where));
  if (!parsed.success) throw damaged(where, v.getDotPath(parsed.issues[0]) ?? 'its fields');
  const { format, ...tag } = parsed.output;
  return tag;
}
