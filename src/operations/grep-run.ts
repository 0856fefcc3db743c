/** GNU grep on open files, one after the other: what it finds as it comes, and which files it could not search to their end. */

import type { ConfinedResult, Limits } from '../host/confined.js';
import type { OpenFile } from '../host/content.js';
import { LxcvError } from '../model/errors.js';
import type { Context } from '../plumbing/context.js';

export interface FoundLine {
  /** From 1. */
  readonly line: number;
  /** Without its line feed. */
  readonly text: Buffer;
}

/** Of the file with this number. */
type Outcome = { readonly index: number } & (FoundLine | { readonly reason: string });

interface Input {
  readonly files: readonly OpenFile[];
  /** Given as standard input: for one file that nobody may not open. */
  readonly isAlone: boolean;
}

/** What is searched for. */
export interface GrepPattern {
  readonly pattern: string;
  /** How the pattern is read; as a basic regular expression where it is left out. */
  readonly syntax?: 'extended' | 'fixed' | 'perl' | undefined;
  readonly ignoresCase?: boolean;
  /** Matches whole words alone. */
  readonly wholeWords?: boolean;
  /** The first line of each file is enough. */
  readonly firstLines?: boolean;
}

const SYNTAX_OPTIONS = { extended: '-E', fixed: '-F', perl: '-P' } as const;

/** Standard input, output and error come first. */
const FIRST_DESCRIPTOR = 3;
const FILE_PREFIX = '/dev/fd/';
const TIME_SECONDS = 10;
const BYTES_A_SECOND = 20_000_000;
const UNREAD = /^grep: \/dev\/fd\/(\d+): (.*)$/gm;
/** A line that is longer than some ten MiB does not fit. */
const MEMORY_BYTES = 1 << 27;
const FILE_BYTES = 1 << 16;
/** So many files may come to a limit before no other is tried alone: each one takes its time. */
const FAILURES_MAX = 8;
/** What grep ends with where something went wrong. */
const FOUND = 0;
const NOT_FOUND = 1;

export class GrepRun {
  private failures = 0;
  private checked = false;

  constructor(
    private readonly context: Context,
    private readonly request: GrepPattern,
  ) {}

  /**
   * Some at a time, in the order of the files. Where one stops grep, it is tried alone, and so are those behind it.
   * @throws LxcvError `bad-usage` for a pattern that grep refuses, `failed` where there is no grep, or it cannot be confined.
   */
  async *search(input: Input): AsyncGenerator<readonly Outcome[]> {
    const { files } = input;
    let at = 0;
    let foundAt = 0;
    await using all = this.start(input);
    for await (const some of linesOf(all.stdout)) {
      for (const { index } of some) {
        foundAt = index === at ? foundAt + 1 : 1;
        at = index;
      }
      yield some;
    }
    const result = await all.result;
    if (isSearched(result)) return;
    await this.checkPattern();
    // It goes on behind a file that it cannot read, and may find something in the next.
    const unread = unreadOf(result).filter(({ index }) => index < at);
    if (unread.length > 0) yield unread;
    for (let index = at; index < files.length; index += 1) {
      yield* this.searchAlone(files[index] as OpenFile, index, index === at ? foundAt : 0, input.isAlone);
    }
  }

  /** @param skip so many lines were found before. */
  private async *searchAlone(
    file: OpenFile,
    index: number,
    skip: number,
    isAlone: boolean,
  ): AsyncGenerator<readonly Outcome[]> {
    if (this.failures >= FAILURES_MAX) {
      yield [{ index, reason: 'was not tried, after others that could not be searched' }];
      return;
    }
    let left = skip;
    await using grep = this.start({ files: [file], isAlone });
    for await (const some of linesOf(grep.stdout)) {
      const fresh = some.slice(left).map((found) => ({ ...found, index }));
      left = Math.max(left - some.length, 0);
      if (fresh.length > 0) yield fresh;
    }
    const result = await grep.result;
    if (isSearched(result)) return;
    this.failures += 1;
    yield [{ index, reason: result.ended ?? `says: ${whatSaid(result)}` }];
  }

  private start({ files, isAlone }: Input) {
    const names = isAlone ? ['-'] : files.map((_, index) => `${FILE_PREFIX}${FIRST_DESCRIPTOR + index}`);
    const label = `--label=${FILE_PREFIX}${FIRST_DESCRIPTOR}`;
    const descriptors = files.map(({ descriptor }) => descriptor);
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return this.context.host.programs.startConfined(
      'grep',
      ['-n', '-H', '-a', '-Z', label, ...this.words(), '--', ...names],
      {
        limits: limitsFor(bytes),
        env: { LC_ALL: 'C.UTF-8' },
        abort: this.context.host.signals.abort,
        ...(isAlone ? { stdin: descriptors[0] as number } : { descriptors }),
      },
    );
  }

  private words(): string[] {
    const { pattern, syntax, ignoresCase, wholeWords, firstLines } = this.request;
    const options = [
      syntax && SYNTAX_OPTIONS[syntax],
      ignoresCase && '-i',
      wholeWords && '-w',
      firstLines && '-m1',
    ].filter((option) => typeof option === 'string');
    return [...options, '-e', pattern];
  }

  /** Whether it is the pattern that grep does not take: it is tried on nothing. */
  private async checkPattern(): Promise<void> {
    this.context.host.signals.check();
    if (this.checked) return;
    const result = await this.context.host.programs.collectConfined('grep', this.words(), {
      limits: limitsFor(0),
      env: { LC_ALL: 'C.UTF-8' },
      stdoutMax: FILE_BYTES,
    });
    if (result.missing) throw new LxcvError('failed', 'there is no grep program', 'Install it: apt-get install grep');
    if (result.ended !== undefined && result.signal === undefined) {
      throw new LxcvError('failed', `grep ${result.ended}`, 'See what limits lxcv was given: ulimit -a');
    }
    if (!isSearched(result)) {
      const said = result.ended === undefined ? whatSaid(result) : `with this pattern it ${result.ended}`;
      const hint = 'See grep(1) on patterns; -F takes one as it stands.';
      throw new LxcvError('bad-usage', `grep refuses: ${said}`, hint);
    }
    this.checked = true;
  }
}

function limitsFor(bytes: number): Limits {
  return { cpuSeconds: TIME_SECONDS + bytes / BYTES_A_SECOND, memoryBytes: MEMORY_BYTES, fileBytes: FILE_BYTES };
}

function isSearched({ exitCode }: ConfinedResult): boolean {
  return exitCode === FOUND || exitCode === NOT_FOUND;
}

/** The files that it says something of, each once. */
function unreadOf({ stderr }: ConfinedResult): { readonly index: number; readonly reason: string }[] {
  const said = new Map<number, string>();
  for (const [, number, words] of stderr.matchAll(UNREAD)) {
    const index = Number(number) - FIRST_DESCRIPTOR;
    if (!said.has(index)) said.set(index, `says: ${words}`);
  }
  return Array.from(said, ([index, reason]) => ({ index, reason }));
}

/** In grep's words, without its name and that of the file. */
function whatSaid({ stderr }: ConfinedResult): string {
  const [line = ''] = stderr.split('\n');
  const parts = line.split(': ').filter((part) => part !== 'grep' && !part.startsWith(FILE_PREFIX));
  return parts.join(': ');
}

/** `/dev/fd/N`, a NUL byte, the number of the line, a colon and the line. A line that was cut short is left out. */
async function* linesOf(
  stdout: AsyncIterable<Buffer>,
): AsyncGenerator<readonly ({ readonly index: number } & FoundLine)[]> {
  let begun: Buffer[] = [];
  for await (const chunk of stdout) {
    const some: ({ readonly index: number } & FoundLine)[] = [];
    let start = 0;
    for (let feed = chunk.indexOf(0x0a); feed >= 0; feed = chunk.indexOf(0x0a, start)) {
      const end = chunk.subarray(start, feed);
      some.push(parseLine(begun.length === 0 ? end : Buffer.concat([...begun, end])));
      begun = [];
      start = feed + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
    if (some.length > 0) yield some;
  }
}

function parseLine(line: Buffer): { readonly index: number } & FoundLine {
  const nul = line.indexOf(0);
  const colon = line.indexOf(0x3a, nul);
  return {
    index: Number(line.toString('latin1', FILE_PREFIX.length, nul)) - FIRST_DESCRIPTOR,
    line: Number(line.toString('latin1', nul + 1, colon)),
    text: line.subarray(colon + 1),
  };
}

/** So much is kept of one file, and of all; a file with more is searched again where another revision has it too. */
const KEPT_BYTES_MAX = 1 << 16;
const KEPT_BYTES_ALL = 1 << 23;
const KEPT_FILES = 200_000;
/** What a line takes besides its text. */
const LINE_BYTES = 200;

/** The lines that were found in files which may come again. */
export class FoundLines {
  private readonly kept = new Map<string, readonly FoundLine[]>();
  private readonly begun = new Map<string, { lines: FoundLine[]; bytes: number }>();
  private bytes = 0;

  /** undefined where it is not known. */
  get(key: string): readonly FoundLine[] | undefined {
    return this.kept.get(key);
  }

  begin(key: string): void {
    this.begun.set(key, { lines: [], bytes: 0 });
  }

  /** @param found undefined where the file was not searched to its end. */
  add(key: string, found: FoundLine | undefined): void {
    const begun = this.begun.get(key);
    if (begun === undefined) return;
    begun.bytes += found === undefined ? KEPT_BYTES_MAX : found.text.length + LINE_BYTES;
    if (found === undefined || begun.bytes > KEPT_BYTES_MAX) this.begun.delete(key);
    // What it is a part of is not kept.
    else begun.lines.push({ line: found.line, text: Buffer.from(found.text) });
  }

  /** The file was searched, and what was found is all there is. */
  end(key: string): void {
    const begun = this.begun.get(key);
    this.begun.delete(key);
    if (begun !== undefined) this.set(key, begun.lines);
  }

  set(key: string, lines: readonly FoundLine[]): void {
    this.kept.set(key, lines);
    this.bytes += sizeOf(lines);
    for (const [oldest, others] of this.kept) {
      if (this.bytes <= KEPT_BYTES_ALL && this.kept.size <= KEPT_FILES) return;
      this.kept.delete(oldest);
      this.bytes -= sizeOf(others);
    }
  }
}

function sizeOf(lines: readonly FoundLine[]): number {
  return lines.reduce((sum, { text }) => sum + text.length + LINE_BYTES, 0);
}
