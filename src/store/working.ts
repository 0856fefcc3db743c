/** The record beside a working delta: whose it is, and what it is going to be a child of. It is the container's HEAD. */

import * as v from 'valibot';
import type { FilesRead } from '../host/files.js';
import {
  baseSchema,
  branchNameSchema,
  containerNameSchema,
  damaged,
  layerSchema,
  parseVersioned,
  versionIdSchema,
} from '../model/manifest.js';
import { readStoreFile } from './store-file.js';

const WORKING_FORMAT = 1;

const workingSchema = v.strictObject({
  format: v.literal(WORKING_FORMAT),
  container: containerNameSchema,
  /** null: detached. */
  branch: v.nullable(branchNameSchema),
  /** The parents of the version that it will become; the first is HEAD. */
  parents: v.array(versionIdSchema),
  /** The layers under the delta, top first, and the bases under these. */
  lowers: v.array(layerSchema),
  bases: v.array(baseSchema),
  /** What is mounted in the place of `lowers`: the layers that a keyframe stands for, which was not there yet. */
  mounted: v.optional(v.array(layerSchema)),
  /** The newest version that is a copy of this delta, made while the container ran. */
  copied: v.exactOptional(versionIdSchema),
});

/** A container's working delta, as its record tells. */
export type Working = Omit<v.InferOutput<typeof workingSchema>, 'format'>;

export function encodeWorking(working: Working): string {
  return `${JSON.stringify(v.parse(workingSchema, { format: WORKING_FORMAT, ...working }), null, 2)}\n`;
}

/** @returns undefined where there is none. @throws LxcvError `store-damaged`, `store-newer`. */
export function readWorking(files: FilesRead, path: string): Working | undefined {
  const bytes = readStoreFile(files, path);
  if (bytes === undefined) return undefined;
  const parsed = v.safeParse(workingSchema, parseVersioned(bytes, WORKING_FORMAT, path));
  if (!parsed.success) throw damaged(path, v.getDotPath(parsed.issues[0]) ?? 'its fields');
  const { format, ...working } = parsed.output;
  return working;
}
