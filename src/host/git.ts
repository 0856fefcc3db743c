/** git as a tool for texts: a repository that lives as long as a question is asked, of a git that is nobody. */

import { appendFileSync, chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BytePath } from '../model/byte-path.js';
import { piecesOf } from '../model/bytes.js';
import { LxcvError } from '../model/errors.js';
import { markPath, unmarkPatch } from '../model/git-path.js';
import { escapeOctal } from '../model/octal.js';
import { type ConfinedResult, collectConfined, NOBODY, startConfined } from './confined.js';
import { type OpenFile, openFile } from './content.js';
import { temporaryPlace } from './temporary.js';

/** A file as git keeps it: `symlink` holds where it leads. */
export interface GitFile {
  /** Relative, a character a byte. */
  readonly path: string;
  readonly mode: 'file' | 'executable' | 'symlink';
  readonly content: Buffer;
}

/** A commit of {@link GitRepository.import}. */
export interface GitCommit {
  /** Numbers of commits that came before. */
  readonly parents: readonly number[];
  /** All that its tree holds. */
  readonly files: Iterable<GitFile>;
}

/** A regular file whose permission bits changed, in a way that git does not tell: it knows only whether anybody may execute. */
export interface ModeChange {
  /** Relative, a character a byte. */
  readonly path: string;
  readonly before: number;
  readonly after: number;
}

export interface GitRepository extends Disposable {
  /** Makes commits, numbered from 1, each a whole tree; returns their ids. To be called once. */
  import(commits: AsyncIterable<GitCommit> | Iterable<GitCommit>): Promise<readonly string[]>;
  /** What git prints, byte for byte. */
  run(...args: string[]): Promise<Buffer>;
  /** What `git diff` prints, and these changes of modes behind it, as a file that stays until it is closed: it may be long. */
  diff(args: readonly string[], modes: Iterable<ModeChange>): Promise<OpenFile>;
}

const MODES: Readonly<Record<GitFile['mode'], string>> = { file: '100644', executable: '100755', symlink: '120000' };

/** What git may take: a patch of a million files stays within it. */
const LIMITS = { cpuSeconds: 600, memoryBytes: 2 ** 32, fileBytes: 2 ** 32 };
/** What it may print, but for a patch. */
const PRINTED_MAX = 2 ** 28;
/** A name like `.git` can lead git nowhere: it is only compared. Older gits refuse less than newer ones: see model/git-path.ts. */
const SETTINGS = ['-c', 'core.protectNTFS=false', '-c', 'core.protectHFS=false'];

/** Nothing of the user's or the system's configuration counts: there is none at such a home. */
const ENVIRONMENT = { HOME: '/nonexistent', GIT_DIR: '.', GIT_CONFIG_NOSYSTEM: '1' };

/** A new, empty one, which is nobody's, as git is. @throws LxcvError `failed` where git is not installed. */
export async function openGit(): Promise<GitRepository> {
  const place = mkdtempSync(join(temporaryPlace(), 'lxcv-git-'));
  const git = new ConfinedGit(place);
  try {
    // Whatever the umask.
    chmodSync(place, 0o711);
    mkdirSync(git.directory);
    chmodSync(git.directory, 0o700);
    chownSync(git.directory, NOBODY, NOBODY);
    await git.run('init', '--bare', '--quiet', '.');
    return git;
  } catch (error) {
    git[Symbol.dispose]();
    throw error;
  }
}

class ConfinedGit implements GitRepository {
  /** Nobody's; beside it lies what is not for nobody's eyes. */
  readonly directory: string;
  private marks = false;

  constructor(private readonly place: string) {
    this.directory = join(place, 'repository');
  }

  [Symbol.dispose](): void {
    rmSync(this.place, { recursive: true, force: true });
  }

  async import(commits: AsyncIterable<GitCommit> | Iterable<GitCommit>): Promise<readonly string[]> {
    const ids = await this.print(['fast-import', '--quiet', '--done'], this.stream(commits));
    return ids.toString('latin1').split('\n').slice(0, -1);
  }

  run(...args: string[]): Promise<Buffer> {
    return this.print(args);
  }

  async diff(args: readonly string[], modes: Iterable<ModeChange>): Promise<OpenFile> {
    const patch = join(this.place, 'patch');
    writeFileSync(patch, '', { mode: 0o600 });
    await using git = startConfined('git', [...SETTINGS, 'diff', ...args], { ...this.options(), stdout: patch });
    orFailed(await git.result);
    const unmarked = this.marks ? join(this.place, 'unmarked') : patch;
    if (this.marks) {
      using marked = openFile(patch);
      appendLines(unmarked, unmarkPatch(piecesOf(marked, '\n')));
    }
    appendLines(unmarked, modeLines(modes));
    return openFile(unmarked);
  }

  private async print(args: readonly string[], stdin?: AsyncIterable<Buffer>): Promise<Buffer> {
    const options = { ...this.options(), ...(stdin && { stdin }), stdoutMax: PRINTED_MAX };
    const told = await collectConfined('git', [...SETTINGS, ...args], options);
    orFailed(told);
    return told.stdout;
  }

  private options() {
    return { limits: LIMITS, env: ENVIRONMENT, directory: this.directory };
  }

  private stream(commits: AsyncIterable<GitCommit> | Iterable<GitCommit>): AsyncGenerator<Buffer> {
    return importStream(commits, (path) => {
      const marked = markPath(path as BytePath);
      this.marks ||= marked !== path;
      return marked;
    });
  }
}

function appendLines(path: string, all: Iterable<string>): void {
  let lines: string[] = [];
  let length = 0;
  const write = () => appendFileSync(path, Buffer.from(lines.join(''), 'latin1'), { mode: 0o600 });
  for (const line of all) {
    lines.push(`${line}\n`);
    length += line.length;
    if (length < WRITTEN_AT_ONCE) continue;
    write();
    lines = [];
    length = 0;
  }
  write();
}

/** As git tells that a file may be executed now. */
function* modeLines(modes: Iterable<ModeChange>): Generator<string> {
  for (const { path, before, after } of modes) {
    const names = [`a/${path}`, `b/${path}`].map((name) => (NEEDS_QUOTES.test(name) ? quote(name) : name));
    yield `diff --git ${names.join(' ')}`;
    yield `old mode ${formatMode(before)}`;
    yield `new mode ${formatMode(after)}`;
  }
}

/** Of a regular file. */
function formatMode(mode: number): string {
  return (0o100000 | mode).toString(8);
}

const NEEDS_QUOTES = /[^ -!#-[\]-~]/;
const WRITTEN_AT_ONCE = 1 << 20;

/** The language of git-fast-import(1). */
async function* importStream(
  commits: AsyncIterable<GitCommit> | Iterable<GitCommit>,
  toName: (path: string) => string,
): AsyncGenerator<Buffer> {
  let mark = 0;
  for await (const { parents, files } of commits) {
    mark += 1;
    const [first, ...others] = parents;
    const head = [
      `commit refs/heads/at-${mark}`,
      `mark :${mark}`,
      `committer lxcv <> ${mark} +0000`,
      'data 0',
      ...(first === undefined ? [] : [`from :${first}`]),
      ...others.map((parent) => `merge :${parent}`),
      'deleteall',
    ];
    yield Buffer.from(`${head.join('\n')}\n`);
    for (const { path, mode, content } of files) {
      yield Buffer.from(`M ${MODES[mode]} inline ${quote(toName(path))}\ndata ${content.length}\n`, 'latin1');
      yield content;
      yield Buffer.from('\n');
    }
    // Prints its id.
    yield Buffer.from(`get-mark :${mark}\n`);
  }
  yield Buffer.from('done\n');
}

/** C's quotes, with an octal escape for each byte that is not plain. */
function quote(path: string): string {
  const escaped = path.replace(/[^ -!#-[\]-~]/g, escapeOctal);
  return `"${escaped}"`;
}

/** @throws LxcvError `failed`. */
function orFailed({ exitCode, missing, ended, stderr }: ConfinedResult): void {
  if (exitCode === 0) return;
  if (missing) {
    const message = 'git is not installed, and this is done through it';
    throw new LxcvError('failed', message, 'Install it: apt-get install git');
  }
  const said = stderr.trim().split('\n')[0] ?? '';
  throw new LxcvError(
    'failed',
    `git failed: ${ended === undefined ? said : `it ${ended}`}`,
    ended === undefined
      ? 'See whether there is room in the temporary directory.'
      : 'Name paths, so that it has less to compare: -- PATH',
  );
}
