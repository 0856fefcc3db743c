/** blame: which version introduced each line of a text, as git finds it. */

import { unlessGone } from '../host/files.js';
import type { GitCommit, GitFile } from '../host/git.js';
import { findPath } from '../layer/find-path.js';
import { readText } from '../layer/text.js';
import { type BytePath, tellPath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import { newestFirst } from '../model/graph.js';
import type { Job } from '../model/job.js';
import type { Blame, BlamedLine } from '../model/results.js';
import type { Version, VersionId } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { layersOfVersion } from '../plumbing/layers.js';
import { type Repository, refsAt } from '../plumbing/lookup.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';
import { runJob } from '../plumbing/run-job.js';
import { findTreeish, type Treeish } from '../plumbing/tree-ish.js';
import { pathNotFound } from './path-not-found.js';

export interface BlameRequest {
  /** `NAME[@REV]` or `NAME@WORK`. */
  readonly revision: string;
  readonly path: BytePath;
}

/** The name of the one file in the repositories that git is asked about. */
const FILE = 'text';
/** Of a text in any version. A larger one is refused: without it, its lines would be another version's. */
const TEXT_MAX_BYTES = 1 << 26;

/** @throws LxcvError `path-not-found`, `not-text`, and those of `findTreeish`. */
export async function blame(context: Context, { revision, path }: BlameRequest): Promise<Blame> {
  const treeish = await retryUntilStable(context, (reading) => findTreeish(reading, revision));
  const { version, repository } = treeish;
  if (version === undefined) throw noHistory(revision);
  const text = readPresent(context, treeish, path);
  const history = new TextHistory(context, repository, path);
  await runJob(context, `reading the history of ${tellPath(path)}`, history.readHistory(version.id));
  if (treeish.kind === 'work') history.addWork(version.id, text);
  using git = await context.host.openGit();
  const ids = await git.import(history.commits);
  const porcelain = await git.run('blame', '--porcelain', ids.at(-1) as string, '--', FILE);
  const byCommit = new Map(ids.map((id, index) => [id, history.versions[index]]));
  const lines = parsePorcelain(porcelain, byCommit).map((line) => ({
    ...line,
    refs: refsAt(repository, line.version?.id),
  }));
  return { name: treeish.name, lines };
}

function readPresent(context: Context, treeish: Treeish, path: BytePath): Buffer {
  const { files } = context.host;
  using found = findPath(files, treeish.layers, path);
  if (found?.entry.stat.type !== 'file') throw pathNotFound(context, treeish, path, 'regular file ');
  const { entry } = found;
  // What a running container holds may be gone, or something else, by now.
  const content = unlessGone(null, () => readText(files, entry, TEXT_MAX_BYTES));
  if (content === null) throw pathNotFound(context, treeish, path, 'regular file ');
  if (content === undefined) throw tooLong(treeish.name, path);
  if (!content.includes(0)) return content;
  throw new LxcvError(
    'not-text',
    `${tellPath(path)} in ${treeish.name} is no text`,
    `blame tells lines. Which versions changed it: lxcv log ${treeish.name.replace(/@WORK$/, '')} -- ${tellPath(path)}`,
  );
}

/** The texts of a path in a version and all that led there, as commits of git: one for each version that changed it. */
class TextHistory {
  readonly commits: GitCommit[] = [];
  /** Of each commit: the version that it stands for; undefined for what is not committed yet. */
  readonly versions: (Version | undefined)[] = [];
  private readonly marks = new Map<VersionId, number>();
  private readonly identities = new Map<VersionId, string>();

  constructor(
    private readonly context: Context,
    private readonly repository: Repository,
    private readonly path: BytePath,
  ) {}

  /** Parents first; the last commit is that of the version itself. */
  *readHistory(tip: VersionId): Job<void> {
    const { history } = this.repository;
    for (const id of [...newestFirst([tip], history.parentsOf, history.numberOf)].reverse()) {
      this.add(history.get(id), id === tip);
      yield;
    }
  }

  addWork(head: VersionId, text: Buffer): void {
    this.push(undefined, [this.marks.get(head) as number], () => text);
  }

  private add(version: Version, isTip: boolean): void {
    const { files } = this.context.host;
    using found = findPath(files, layersOfVersion(this.repository.layout, version), this.path);
    const entry = found?.entry.stat.type === 'file' ? found.entry : undefined;
    const identity = entry === undefined ? '' : `${entry.stat.device} ${entry.stat.inode}`;
    this.identities.set(version.id, identity);
    const [parent, ...others] = version.parents.map(({ id }) => id);
    const unchanged = parent !== undefined && others.length === 0 && this.identities.get(parent) === identity;
    if (unchanged && !isTip) {
      this.marks.set(version.id, this.marks.get(parent) as number);
      return;
    }
    const parents = [parent, ...others].flatMap((id) => (id === undefined ? [] : [this.marks.get(id) as number]));
    if ((entry?.stat.size ?? 0) > TEXT_MAX_BYTES) throw tooLong(`${this.repository.name}@${version.number}`, this.path);
    const content = entry === undefined ? undefined : () => this.read(version);
    this.marks.set(version.id, this.push(version, [...new Set(parents)], content));
  }

  private read(version: Version): Buffer {
    const { files } = this.context.host;
    using found = findPath(files, layersOfVersion(this.repository.layout, version), this.path);
    return (found && readText(files, found.entry, TEXT_MAX_BYTES)) ?? Buffer.alloc(0);
  }

  /** @param read is called when git takes the text: none is held longer. */
  private push(version: Version | undefined, parents: readonly number[], read: (() => Buffer) | undefined): number {
    this.commits.push({ parents, files: read === undefined ? [] : oneFile(read) });
    this.versions.push(version);
    return this.commits.length;
  }
}

function* oneFile(read: () => Buffer): Generator<GitFile> {
  yield { path: FILE, mode: 'file', content: read() };
}

/** `ID ORIGINAL FINAL [COUNT]`, headers, and then a tab and the line. */
function parsePorcelain(
  porcelain: Buffer,
  byCommit: ReadonlyMap<string, Version | undefined>,
): Omit<BlamedLine, 'refs'>[] {
  const lines: Omit<BlamedLine, 'refs'>[] = [];
  let commit = '';
  for (let start = 0; start < porcelain.length; ) {
    const feed = porcelain.indexOf(0x0a, start);
    const end = feed < 0 ? porcelain.length : feed;
    const line = porcelain.subarray(start, end);
    start = end + 1;
    if (line[0] === 0x09) {
      lines.push({ number: lines.length + 1, text: line.subarray(1), version: byCommit.get(commit) });
    } else {
      commit = /^([0-9a-f]{40}) \d+ \d+/.exec(line.toString('latin1'))?.[1] ?? commit;
    }
  }
  return lines;
}

function tooLong(where: string, path: BytePath): LxcvError {
  return new LxcvError(
    'not-text',
    `${tellPath(path)} in ${where} is larger than 64 MiB, and its lines could not be told`,
    `lxcv log ${where.replace(/@WORK$/, '')} -- ${tellPath(path)} shows which versions changed it.`,
  );
}

function noHistory(revision: string): LxcvError {
  return new LxcvError(
    'bad-revision',
    `${revision} is no version, and has no history`,
    `Name a version, or ${revision.split('@')[0]}@WORK.`,
  );
}
