/** git as a tool for texts: a repository that lives as long as a question is asked. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { simpleGit } from 'simple-git';
import { LxcvError } from '../model/errors.js';
import { type OpenFile, openFile } from './content.js';

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

export interface GitRepository extends Disposable {
  /** Makes commits, numbered from 1, each a whole tree; returns their ids. To be called once. */
  import(commits: AsyncIterable<GitCommit> | Iterable<GitCommit>): Promise<readonly string[]>;
  /** What git prints, byte for byte. */
  run(...args: string[]): Promise<Buffer>;
  /** What `git diff` prints, as a file that stays until it is closed: it may be long. */
  diff(...args: string[]): Promise<OpenFile>;
}

const MODES: Readonly<Record<GitFile['mode'], string>> = { file: '100644', executable: '100755', symlink: '120000' };

/** Nothing of the user's or the system's configuration counts: there is none at such a home. */
function environment(directory: string): Record<string, string> {
  const { PATH = '' } = process.env;
  return { PATH, HOME: directory, GIT_DIR: directory, GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };
}

/** A new, empty one. @throws LxcvError `failed` where git is not installed. */
export async function openGit(): Promise<GitRepository> {
  const directory = mkdtempSync(join(tmpdir(), 'lxcv-git-'));
  const repository: GitRepository = {
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
    import: (commits) => orFailed(importInto(directory, commits)),
    run: (...args) => orFailed(run(directory, args)),
    diff: (...args) => orFailed(diff(directory, args)),
  };
  try {
    await repository.run('init', '--bare', '--quiet', directory);
    return repository;
  } catch (error) {
    repository[Symbol.dispose]();
    throw error;
  }
}

async function importInto(
  directory: string,
  commits: AsyncIterable<GitCommit> | Iterable<GitCommit>,
): Promise<readonly string[]> {
  const { execa } = await import('execa');
  const marks = join(directory, 'marks');
  await execa('git', ['fast-import', '--quiet', `--export-marks=${marks}`], {
    env: environment(directory),
    extendEnv: false,
    input: Readable.from(importStream(commits)),
  });
  const ids = readFileSync(marks, 'latin1')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return ids.sort(([a], [b]) => Number(a?.slice(1)) - Number(b?.slice(1))).map(([, id]) => id as string);
}

/** simple-git gives text; what it is made of comes by its handler. */
async function run(directory: string, args: readonly string[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const git = simpleGit(directory).env(environment(directory));
  git.outputHandler((_command, stdout) => {
    stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  });
  await git.raw([...args]);
  return Buffer.concat(chunks);
}

async function diff(directory: string, args: readonly string[]): Promise<OpenFile> {
  const output = join(directory, 'patch');
  await run(directory, ['diff', `--output=${output}`, ...args]);
  return openFile(output);
}

/** The language of git-fast-import(1). */
async function* importStream(commits: AsyncIterable<GitCommit> | Iterable<GitCommit>): AsyncGenerator<Buffer> {
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
      yield Buffer.from(`M ${MODES[mode]} inline ${quote(path)}\ndata ${content.length}\n`, 'latin1');
      yield content;
      yield Buffer.from('\n');
    }
  }
  yield Buffer.from('done\n');
}

/** C's quotes, with an octal escape for each byte that is not plain. */
function quote(path: string): string {
  const escaped = path.replace(/[^ -!#-[\]-~]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return `"${escaped}"`;
}

async function orFailed<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const missing = (error as { code?: unknown }).code === 'ENOENT' || /ENOENT/.test(String(error));
    const said = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new LxcvError(
      'failed',
      missing ? 'git is not installed, and this is done through it' : `git failed: ${said}`,
      missing ? 'Install it: apt-get install git' : 'See whether there is room in the temporary directory.',
      { cause: error },
    );
  }
}
