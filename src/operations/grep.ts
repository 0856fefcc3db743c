/**
 * grep: lines of the texts in versions, by GNU grep, which is nobody and is given open files: no name in a container leads it
 * anywhere. What it finds is reported as it comes, and only little of it is kept.
 */

import { NOBODY } from '../host/confined.js';
import type { OpenFile } from '../host/content.js';
import { type FilesRead, type Stat, unlessGone } from '../host/files.js';
import { diffTrees } from '../layer/diff.js';
import { type BytePath, pathToText } from '../model/byte-path.js';
import { readAll } from '../model/bytes.js';
import { type Place, pathOf } from '../model/place.js';
import type { Match, Unsearched } from '../model/results.js';
import type { Context } from '../plumbing/context.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';
import { findTreeish, reportMissing } from '../plumbing/tree-ish.js';
import { type FoundLine, FoundLines, type GrepPattern, GrepRun } from './grep-run.js';

export interface GrepRequest extends GrepPattern {
  /** Each `NAME[@REV]`, `NAME@WORK` or `NAME@BASE`. */
  readonly revisions: readonly string[];
  readonly paths: readonly BytePath[];
}

/** How many files one grep is given: a process costs as much as some hundred of them. */
const BATCH_FILES = 200;
/** So much is copied for one grep, of files that nobody may not read. */
const BATCH_COPIED_BYTES = 1 << 24;
/** A larger file is handed over as standard input, to a grep of its own. */
const COPIED_BYTES = 1 << 20;
/** A file with a NUL in so many first bytes is no text, as GNU grep has it. */
const LOOKED_AT_BYTES = 1 << 15;
/** From so many matches on there may be a million, each of which is garbage as soon as it is shown. */
const LARGE_MATCHES = 10_000;
/** After so many entries others have their turn. */
const BREATH_ENTRIES = 500;

/**
 * Some at a time, in the order of the revisions, and of the paths in each. What was searched is returned while the rest is walked.
 * @throws LxcvError `bad-usage` for a pattern that grep does not understand, and those of `findTreeish`.
 */
export async function* grep(context: Context, request: GrepRequest): AsyncGenerator<readonly (Match | Unsearched)[]> {
  const { paths, revisions } = request;
  const treeishes = await retryUntilStable(context, (reading) => revisions.map((text) => findTreeish(reading, text)));
  if (paths.length > 0) reportMissing(context, paths, treeishes);
  using search = new Search(context, request);
  let entries = 0;
  for (const { name, layers } of treeishes) {
    for (const found of diffTrees(context.host.files, [], layers, paths.length === 0 ? {} : { paths })) {
      entries += 1;
      if (entries % BREATH_ENTRIES === 0) {
        await context.host.yieldToEventLoop();
        context.host.signals.check();
      }
      const entry = found?.after;
      if (found === undefined || entry?.type !== 'file') continue;
      const stat = unlessGone(undefined, () => entry.stat);
      if (stat === undefined || stat.size === 0) continue;
      if (search.mustRunFirst(stat)) yield* search.run();
      search.add(name, found.place, stat, (files) => files.openFile(entry.location));
    }
  }
  yield* search.run();
}

/** A file of a revision, waiting for its turn: to be searched, or its lines known already. */
class Waiting {
  private madePath: BytePath | undefined;

  constructor(
    readonly revision: string,
    private readonly place: Place,
    readonly key: string | undefined,
    readonly file: OpenFile | undefined,
    readonly known: readonly FoundLine[],
  ) {}

  /** Made where something is found. */
  get path(): BytePath {
    this.madePath ??= pathOf(this.place);
    return this.madePath;
  }
}

const NONE: readonly FoundLine[] = [];

class Search implements Disposable {
  private waiting: Waiting[] = [];
  private keys = new Set<string>();
  private copiedBytes = 0;
  private isAlone = false;
  private matches = 0;
  private readonly found = new FoundLines();
  private readonly grep: GrepRun;

  constructor(
    private readonly context: Context,
    private readonly request: GrepRequest,
  ) {
    this.grep = new GrepRun(context, request);
  }

  [Symbol.dispose](): void {
    for (const { file } of this.waiting) file?.[Symbol.dispose]();
  }

  /** True where what waits must be searched before another file is added. */
  mustRunFirst(stat: Stat): boolean {
    if (this.keys.has(keyOf(stat))) return true;
    const isCopied = !isForNobody(stat);
    return (
      this.isAlone ||
      this.waiting.length >= BATCH_FILES ||
      (isCopied && (stat.size > COPIED_BYTES || this.copiedBytes + stat.size > BATCH_COPIED_BYTES))
    );
  }

  add(revision: string, place: Place, stat: Stat, open: (files: FilesRead) => OpenFile): void {
    // Most files come once, and nothing need be remembered of them.
    const key = stat.links > 1 || this.request.revisions.length > 1 ? keyOf(stat) : undefined;
    const known = key === undefined ? undefined : this.found.get(key);
    if (known !== undefined) {
      this.waiting.push(new Waiting(revision, place, undefined, undefined, known));
      return;
    }
    const file = unlessGone(undefined, () => open(this.context.host.files));
    if (file === undefined) return;
    if (!isText(file, stat)) {
      file[Symbol.dispose]();
      if (key !== undefined) this.found.set(key, NONE);
      return;
    }
    this.waiting.push(new Waiting(revision, place, key, this.forNobody(file, stat), NONE));
    if (key !== undefined) this.keys.add(key);
  }

  /** Searches what waits. */
  async *run(): AsyncGenerator<readonly (Match | Unsearched)[]> {
    const { waiting } = this;
    const searched = waiting.filter(({ file }) => file !== undefined);
    const input = { files: searched.map(({ file }) => file as OpenFile), isAlone: this.isAlone };
    let next = 0;
    /** The matches that are known of the files up to one. */
    const upTo = (end: Waiting | undefined): Match[] => {
      const matches: Match[] = [];
      for (; next < waiting.length && waiting[next] !== end; next += 1) {
        const one = waiting[next] as Waiting;
        for (const found of one.known) matches.push({ revision: one.revision, path: one.path, ...found });
      }
      return matches;
    };
    for (const { key } of searched) if (key !== undefined) this.found.begin(key);
    if (searched.length > 0) {
      for await (const some of this.grep.search(input)) {
        const batch: (Match | Unsearched)[] = [];
        for (const { index, ...found } of some) {
          const file = searched[index] as Waiting;
          // Only what could not be read is reported after others.
          if ('line' in found || waiting.indexOf(file) >= next) batch.push(...upTo(file));
          const { revision, path, key } = file;
          if (key !== undefined) this.found.add(key, 'line' in found ? found : undefined);
          const one = { revision, path, ...found };
          if ('reason' in one) this.report(one);
          batch.push(one);
        }
        this.matches += batch.length;
        if (this.matches >= LARGE_MATCHES) this.context.onLarge?.();
        yield batch;
      }
    }
    for (const { key } of searched) if (key !== undefined) this.found.end(key);
    const rest = upTo(undefined);
    if (rest.length > 0) yield rest;
    for (const { file } of searched) file?.[Symbol.dispose]();
    this.waiting = [];
    this.keys = new Set();
    this.copiedBytes = 0;
    this.isAlone = false;
  }

  private report({ revision, path, reason }: Unsearched): void {
    const message = `/${pathToText(path)} in ${revision} was not searched to its end: grep ${reason}`;
    this.context.report({ kind: 'notice', message });
  }

  /** What grep, which is nobody, can open again by its descriptor, or else has to itself as its input. */
  private forNobody(file: OpenFile, stat: Stat): OpenFile {
    if (isForNobody(stat)) return file;
    if (file.size > COPIED_BYTES) {
      this.isAlone = true;
      return file;
    }
    this.copiedBytes += file.size;
    using secret = file;
    return this.context.host.openNameless(readAll(secret));
  }
}

function keyOf({ device, inode, ctimeNs }: Stat): string {
  return `${device} ${inode} ${ctimeNs}`;
}

/** True where nobody, the user, may read it. */
function isForNobody({ mode, uid, gid }: Stat): boolean {
  const bit = uid === NOBODY ? 0o400 : gid === NOBODY ? 0o040 : 0o004;
  return (mode & bit) !== 0;
}

function isText(file: OpenFile, stat: Stat): boolean {
  const start = Buffer.allocUnsafe(Math.min(LOOKED_AT_BYTES, file.size));
  if (start.subarray(0, file.read(start, 0)).includes(0)) return false;
  // A hole is zeros too; where a file has all its blocks there is none.
  return stat.allocated >= stat.size || !file.hasHole();
}
