/**
 * The operation log of a repository: JSON, a line a record. An operation leaves `begin`, with all that would take it back;
 * `ready`, when nothing is left to do but its commit point; `back`, where it is taken back; and `end`. An operation without an
 * end is pending, and only the last can be.
 */

import * as v from 'valibot';
import type { Files, FilesRead } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import { layerSchema } from '../model/manifest.js';
import type { Step } from './steps.js';
import { tooLarge } from './store-file.js';

/** How much of the log's end is read: several records at first, and in the end more than any that holds a config. */
const TAILS_BYTES = [1 << 16, 1 << 20, 1 << 24, 1 << 26];
const LINE_FEED = 0x0a;

const path = v.string();
const inode = v.pipe(v.string(), v.digits());
const stepSchema: v.GenericSchema<unknown, Step> = v.variant('do', [
  v.strictObject({ do: v.literal('rename'), from: path, to: path }),
  v.strictObject({ do: v.literal('unlink'), path }),
  v.strictObject({ do: v.literal('rmdir'), path }),
  v.strictObject({ do: v.literal('ref'), path, id: v.nullable(v.custom((id) => typeof id === 'string')) }),
  v.strictObject({ do: v.literal('move-in'), from: path, to: path, mtimeNs: v.pipe(v.string(), v.regex(/^-?\d+$/)) }),
  v.strictObject({
    do: v.literal('publish'),
    draft: path,
    manifest: path,
    before: v.array(path),
    after: v.array(path),
    keyframe: v.exactOptional(
      v.strictObject({
        path,
        of: v.array(path),
        below: v.array(path),
        instead: v.array(layerSchema),
        working: v.exactOptional(path),
      }),
    ),
  }),
  v.strictObject({ do: v.literal('release') }),
  v.strictObject({ do: v.literal('close-delta'), work: path }),
  v.strictObject({ do: v.literal('remove-copy'), path }),
  v.strictObject({ do: v.literal('register'), path, entry: v.string() }),
  v.strictObject({ do: v.literal('unregister'), path, entry: v.string() }),
  v.strictObject({ do: v.literal('thaw'), lxcpath: path, container: v.string(), mark: v.optional(path) }),
  v.strictObject({ do: v.literal('settle-config'), config: path, staged: path, base: v.string() }),
  v.strictObject({ do: v.literal('change-rootfs'), config: path, staged: path, was: v.string(), is: v.string() }),
]) as never;

const beginSchema = v.strictObject({
  operation: v.string(),
  state: v.literal('begin'),
  time: v.string(),
  /** The command: `commit`, `checkout`, ... */
  command: v.string(),
  /** What it works on, for a reader of the log. */
  subject: v.string(),
  /**
   * The rename that is the commit point: all before it is taken back, all after it is carried on. An exchange leaves at `from`
   * what was at `to`, and fails where nothing was.
   */
  point: v.strictObject({ from: path, to: path, exchange: v.exactOptional(v.literal(true)) }),
  forward: v.array(stepSchema),
  back: v.array(stepSchema),
});

const recordSchema = v.variant('state', [
  beginSchema,
  /** `inode` is that of the file at `from`: once another is there, or none, the commit point has passed. */
  v.strictObject({ operation: v.string(), state: v.literal('ready'), inode: v.exactOptional(inode) }),
  v.strictObject({ operation: v.string(), state: v.literal('back') }),
  v.strictObject({ operation: v.string(), state: v.literal('end'), outcome: v.picklist(['done', 'taken back']) }),
]);

export type Operation = v.InferOutput<typeof beginSchema>;
type LogRecord = v.InferOutput<typeof recordSchema>;

/** The last operation, where it has no end, and the last that it left a record of. */
export interface Pending {
  readonly operation: Operation;
  readonly last: Exclude<LogRecord, { state: 'end' }>;
}

/**
 * Looks no further back than to the end of an operation, whatever was written before it.
 * @throws LxcvError `store-newer`; `store-damaged` where there is no record in far more bytes than one takes.
 */
export function readPending(files: FilesRead, log: string): Pending | undefined {
  if (files.stat(log) === undefined) return undefined;
  let last: Pending['last'] | undefined;
  for (const line of linesBackwards(files, log)) {
    const record = parseRecord(line, log);
    if (record === undefined) continue;
    if (record.state === 'end') return undefined;
    last ??= record;
    if (record.state === 'begin') return { operation: record, last };
  }
  return undefined;
}

/** Appends a record; the caller holds the repository's lock. A line that a crash cut short is dropped first. */
export function appendRecord(files: Files, log: string, record: LogRecord): void {
  const size = files.stat(log)?.size ?? 0;
  const whole = size === 0 ? 0 : sizeOfWholeLines(files, log, size);
  if (whole < size) files.truncate(log, whole);
  files.append(log, `${JSON.stringify(record)}\n`);
}

/** @throws LxcvError `store-damaged`. */
function sizeOfWholeLines(files: FilesRead, log: string, size: number): number {
  for (const bytes of TAILS_BYTES) {
    const end = files.readEnd(log, bytes);
    const newline = end.lastIndexOf(LINE_FEED);
    if (newline >= 0 || end.length === size) return size - end.length + newline + 1;
  }
  throw tooLarge(log);
}

/** The whole lines of the log, from the last on. @throws LxcvError `store-damaged` for who asks for more than what is looked at. */
function* linesBackwards(files: FilesRead, log: string): Generator<string> {
  /** So many bytes of the end were told. */
  let told = 0;
  for (const bytes of TAILS_BYTES) {
    const end = files.readEnd(log, bytes);
    const isAll = end.length < bytes;
    const first = isAll ? 0 : end.indexOf(LINE_FEED) + 1;
    for (let feed = end.length - told - 1; feed >= first; ) {
      const isEmpty = feed === 0 || end[feed - 1] === LINE_FEED;
      const before = isEmpty ? feed - 1 : end.lastIndexOf(LINE_FEED, feed - 1);
      // What stands behind the last line feed is no whole line.
      if (end[feed] === LINE_FEED && !isEmpty) yield end.toString('utf8', before + 1, feed);
      feed = before;
      told = end.length - 1 - before;
    }
    if (isAll) return;
  }
  throw tooLarge(log);
}

/**
 * A line that is no JSON is passed over: it was cut short before anything was done. One that is, but no record, holds what only
 * a newer lxcv can finish or take back.
 * @throws LxcvError `store-newer`.
 */
function parseRecord(line: string, log: string): LogRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(recordSchema, value);
  if (parsed.success) return parsed.output;
  throw new LxcvError('store-newer', `${log} was written by a newer lxcv`, 'Use that one. Nothing was changed.');
}
