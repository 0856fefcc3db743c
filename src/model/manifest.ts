/** Manifests: versions as canonical JSON, the same bytes for the same version on every machine. */

import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { LxcvError } from './errors.js';
import { isRepositoryName, isVersionId } from './names.js';
import type { BranchName, ContainerName, Layer, RepositoryName, Version, VersionId } from './version.js';

/** The manifest format that this lxcv writes, and the newest that it reads. */
const MANIFEST_FORMAT = 1;

// One check each, for hundreds are read at once: each part of a `v.pipe` takes as long as a field.
const like = (pattern: RegExp) => v.custom<string>((value) => typeof value === 'string' && pattern.test(value));
const count = v.custom<number>((value) => Number.isInteger(value) && (value as number) >= 0);
const absolutePath = like(/^\//);
export const versionIdSchema = v.custom<VersionId>((value) => typeof value === 'string' && isVersionId(value));
export const containerNameSchema = v.custom<ContainerName>(
  (value) => typeof value === 'string' && isRepositoryName(value),
);
export const branchNameSchema = v.custom<BranchName>((value) => typeof value === 'string' && isRepositoryName(value));
const repositoryNameSchema = v.custom<RepositoryName>((value) => typeof value === 'string' && isRepositoryName(value));
export const layerSchema = v.custom<Layer>(
  (value) => typeof value === 'string' && /^versions\/[a-z][a-z0-9]{11}\/(delta|keyframe-\d)$/.test(value),
);
/** UTC, to the millisecond. */
export const timeSchema = like(/^(?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
export const baseSchema = v.strictObject({ path: absolutePath, fingerprint: v.string() });

/** In the order in which a manifest holds them. */
const manifestSchema = v.strictObject({
  format: v.literal(MANIFEST_FORMAT),
  id: versionIdSchema,
  number: count,
  repository: repositoryNameSchema,
  parents: v.array(v.strictObject({ id: versionIdSchema, digest: like(/^sha256:[0-9a-f]{64}$/) })),
  message: v.string(),
  author: v.strictObject({ name: v.string(), email: v.string() }),
  time: timeSchema,
  container: containerNameSchema,
  branch: branchNameSchema,
  chain: v.pipe(v.array(layerSchema), v.minLength(1)),
  bases: v.array(baseSchema),
  changes: v.strictObject({ added: count, modified: count, removed: count, bytes: count }),
  pause: v.exactOptional(v.pipe(v.number(), v.minValue(0))),
});

/** What a version is before its changes were counted. */
export type Uncounted = Omit<Version, 'changes'>;
const draftSchema = v.omit(manifestSchema, ['changes']);

/** The bytes of a version's manifest. */
export function encodeManifest(version: Version): Buffer {
  return toBytes(v.parse(manifestSchema, { format: MANIFEST_FORMAT, ...version }));
}

/**
 * The version of a manifest; `decodeManifest(encodeManifest(v))` equals `v`.
 * @param where names the file in the error.
 * @throws LxcvError `store-newer` for a later format, `store-damaged` for all that `encodeManifest` would not have written.
 */
export function decodeManifest(bytes: Uint8Array, where: string): Version {
  const value = parseVersioned(bytes, MANIFEST_FORMAT, where);
  const parsed = v.safeParse(manifestSchema, value);
  if (!parsed.success) throw damaged(where, v.getDotPath(parsed.issues[0]) ?? 'its fields');
  if (!toBytes(parsed.output).equals(bytes)) throw damaged(where, 'its form');
  const { format, ...version } = parsed.output;
  return version;
}

/** The version of a manifest whose digest is known: its bytes were decoded before. */
export function decodeKnownManifest(bytes: Uint8Array): Version {
  const { format, ...version } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Version & { format: unknown };
  return version;
}

/** The bytes of a manifest to which the counts are yet to come. */
export function encodeDraft(version: Uncounted): Buffer {
  return toBytes(v.parse(draftSchema, { format: MANIFEST_FORMAT, ...version }));
}

/** What `encodeDraft` wrote. @throws LxcvError `store-newer`, `store-damaged`. */
export function decodeDraft(bytes: Uint8Array, where: string): Uncounted {
  const parsed = v.safeParse(draftSchema, parseVersioned(bytes, MANIFEST_FORMAT, where));
  if (!parsed.success) throw damaged(where, v.getDotPath(parsed.issues[0]) ?? 'its fields');
  const { format, ...version } = parsed.output;
  return version;
}

/** The parents, first first, of a version that is staged: what `encodeDraft` or `encodeManifest` wrote. */
export function parentsOfStaged(bytes: Uint8Array, where: string): VersionId[] {
  const value = parseVersioned(bytes, MANIFEST_FORMAT, where) as object;
  const schema = 'changes' in value ? manifestSchema : draftSchema;
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) throw damaged(where, v.getDotPath(parsed.issues[0]) ?? 'its fields');
  return parsed.output.parents.map((parent) => parent.id);
}

/** A schema's output has its keys in the schema's order. */
function toBytes(manifest: v.InferOutput<typeof draftSchema>): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`, 'utf8');
}

/** The digest by which a child names its parent: `sha256:` and the hexadecimal hash of the manifest's bytes. */
export function digestManifest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * JSON with a `format` number that is not above `newest`.
 * @throws LxcvError `store-newer`, or `store-damaged` for what is no such JSON.
 */
export function parseVersioned(bytes: Uint8Array, newest: number, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw damaged(where, 'JSON');
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format !== 'number') throw damaged(where, 'format');
  if (format > newest) {
    throw new LxcvError(
      'store-newer',
      `${where} has format ${format}; this lxcv knows formats up to ${newest}`,
      'Use the lxcv that wrote it, or a newer one. Nothing was changed.',
    );
  }
  return value;
}

/** The error for a file of the store that does not hold what lxcv writes. */
export function damaged(where: string, what: string): LxcvError {
  return new LxcvError(
    'store-damaged',
    `${where} is damaged: ${what} is not as lxcv writes it`,
    'Restore that file from a backup. lxcv changed nothing.',
  );
}
