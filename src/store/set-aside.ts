/**
 * What a container held that cannot become a version, and that a checkout took from under it: the delta stays where it is, closed, and
 * a record tells whose it was.
 */

import * as v from 'valibot';
import type { FilesRead } from '../host/files.js';
import { containerNameSchema, damaged, parseVersioned, timeSchema, versionIdSchema } from '../model/manifest.js';
import { isVersionId } from '../model/names.js';
import type { VersionId } from '../model/version.js';
import type { RepositoryLayout } from './layout.js';
import { listStoreDirectory, readStoreFile } from './store-file.js';

const ASIDE_FORMAT = 1;

const asideSchema = v.strictObject({
  format: v.literal(ASIDE_FORMAT),
  container: containerNameSchema,
  /** The version that it was written over; null for none. */
  version: v.nullable(versionIdSchema),
  /** When it was set aside. */
  time: timeSchema,
  /** Why it cannot become a version: a sentence. */
  reason: v.string(),
});

export type SetAside = Omit<v.InferOutput<typeof asideSchema>, 'format'>;

export function encodeSetAside(aside: SetAside): string {
  return `${JSON.stringify(v.parse(asideSchema, { format: ASIDE_FORMAT, ...aside }), null, 2)}\n`;
}

/** @throws LxcvError `store-damaged`, `store-newer`. */
export function readSetAside(files: FilesRead, path: string): SetAside {
  const bytes = readStoreFile(files, path);
  if (bytes === undefined) throw damaged(path, 'that it is there');
  const parsed = v.safeParse(asideSchema, parseVersioned(bytes, ASIDE_FORMAT, path));
  if (!parsed.success) throw damaged(path, v.getDotPath(parsed.issues[0]) ?? 'its fields');
  const { format, ...aside } = parsed.output;
  return aside;
}

/** Which deltas of a repository are set aside. @throws LxcvError `unsafe-owner`, `store-damaged`. */
export function listAsides(files: FilesRead, repository: RepositoryLayout): VersionId[] {
  return listStoreDirectory(files, repository.asides).filter(isVersionId).sort();
}
