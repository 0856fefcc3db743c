/** grep: lines of the texts in versions, by GNU grep, which is given open files: no name in a container leads it anywhere. */

import type { OpenFile } from '../host/content.js';
import { unlessGone } from '../host/files.js';
import { diffTrees } from '../layer/diff.js';
import type { BytePath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { findOperand, tellMissing } from './operand.js';
import type { World } from './world.js';

export interface GrepRequest {
  readonly pattern: string;
  /** Each `NAME[@REV]`, `NAME@WORK` or `NAME@BASE`. */
  readonly revisions: readonly string[];
  readonly paths: readonly BytePath[];
  /** Of grep's own: how to read the pattern. */
  readonly options: readonly ('-i' | '-w' | '-E' | '-F' | '-P')[];
}

export interface Match {
  /** What it was found in: `mysql@2`. */
  readonly revision: string;
  readonly path: BytePath;
  /** From 1. */
  readonly line: number;
  /** Without its line feed. */
  readonly text: Buffer;
}

/** How many files one grep is given: a process costs as much as some hundred of them. */
const BATCH = 200;
/** Standard input, output and error come first. */
const FIRST_DESCRIPTOR = 3;

/** A file of a revision, and the key by which its lines are found: one for all places of one inode. */
interface Place {
  readonly revision: string;
  readonly path: BytePath;
  readonly key: string;
}

/**
 * In the order of the revisions, and of the paths in each. A file that several have is read once.
 * @throws LxcvError `bad-usage` for a pattern that grep does not understand, and those of `findOperand`.
 */
export async function grep(world: World, request: GrepRequest): Promise<Match[]> {
  const { paths, revisions } = request;
  if (paths.length > 0)
    tellMissing(
      world,
      paths,
      revisions.map((text) => findOperand(world, text)),
    );
  const lines = new Map<string, { line: number; text: Buffer }[]>();
  const places: Place[] = [];
  let batch: { key: string; file: OpenFile }[] = [];
  const search = async () => {
    const files = batch;
    batch = [];
    if (files.length > 0) await searchFiles(world, request, files, lines);
  };
  try {
    for (const { revision, path, key, open } of filesOf(world, request)) {
      places.push({ revision, path, key });
      if (lines.has(key)) continue;
      const file = open();
      if (file === undefined) continue;
      lines.set(key, []);
      batch.push({ key, file });
      if (batch.length === BATCH) await search();
    }
    await search();
  } finally {
    for (const { file } of batch) file[Symbol.dispose]();
  }
  return places.flatMap(({ revision, path, key }) =>
    (lines.get(key) ?? []).map((found) => ({ revision, path, ...found })),
  );
}

/** Every regular file of every revision; `open` is good until the next is asked for. */
function* filesOf(world: World, { revisions, paths }: GrepRequest) {
  const { files } = world.host;
  for (const text of revisions) {
    const { name, layers } = findOperand(world, text);
    for (const found of diffTrees(files, [], layers, paths.length === 0 ? {} : { paths })) {
      const entry = found?.after;
      if (found === undefined || entry?.type !== 'file') continue;
      const stat = unlessGone(undefined, () => entry.stat);
      if (stat === undefined || stat.size === 0) continue;
      const { device, inode } = stat;
      const open = () => unlessGone(undefined, () => files.openFile(entry.location));
      yield { revision: name, path: found.path, key: `${device} ${inode}`, open };
    }
  }
}

async function searchFiles(
  world: World,
  { pattern, options }: GrepRequest,
  batch: readonly { readonly key: string; readonly file: OpenFile }[],
  lines: ReadonlyMap<string, { line: number; text: Buffer }[]>,
): Promise<void> {
  try {
    const names = batch.map((_, index) => `/dev/fd/${FIRST_DESCRIPTOR + index}`);
    const args = ['-n', '-H', '-I', '-Z', ...options, '-e', pattern, '--', ...names];
    const descriptors = batch.map(({ file }) => file.descriptor);
    const { exitCode, stdout, stderr } = await world.host.programs.runOn(descriptors, 'grep', args);
    if (exitCode !== 0 && exitCode !== 1) {
      const said = stderr.split('\n')[0]?.replace(/^grep: /, '') ?? '';
      throw new LxcvError('bad-usage', `grep refuses: ${said}`, 'See grep(1) on patterns; -F takes one as it stands.');
    }
    for (const { index, line, text } of parseMatches(stdout)) lines.get(batch[index]?.key ?? '')?.push({ line, text });
  } finally {
    for (const { file } of batch) file[Symbol.dispose]();
  }
}

/** `/dev/fd/N`, a NUL byte, the number of the line, a colon and the line. */
function* parseMatches(told: Buffer): Generator<{ index: number; line: number; text: Buffer }> {
  for (let start = 0; start < told.length; ) {
    const nul = told.indexOf(0, start);
    const colon = told.indexOf(0x3a, nul);
    const feed = told.indexOf(0x0a, colon);
    const end = feed < 0 ? told.length : feed;
    const name = told.toString('latin1', start, nul);
    const line = Number(told.toString('latin1', nul + 1, colon));
    yield {
      index: Number(name.slice('/dev/fd/'.length)) - FIRST_DESCRIPTOR,
      line,
      text: told.subarray(colon + 1, end),
    };
    start = end + 1;
  }
}
