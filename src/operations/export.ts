/** export: the whole root file system of a version as a tarball, by GNU tar, which is nobody, from a mount that it alone sees. */

import { basename, dirname } from 'node:path';
import { type Limits, MOUNT_POINT } from '../host/confined.js';
import { type FilesRead, tolerate } from '../host/files.js';
import { isErrno } from '../host/host.js';
import { walkLayer } from '../layer/delta.js';
import { isBookkeeping, readOnlyMountOptions } from '../layer/overlayfs.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import { type Job, runRecursion } from '../model/job.js';
import type { Context } from '../plumbing/context.js';
import { findRevision } from '../plumbing/find-revision.js';
import { checkBases, checkLayers, layersOfVersion } from '../plumbing/layers.js';
import { type NamedVersion, refsAt } from '../plumbing/lookup.js';
import { retryUntilStable } from '../plumbing/retry-until-stable.js';
import { runJob } from '../plumbing/run-job.js';

/** The option of GNU tar that compresses, if one does, by the end of the file's name. */
const COMPRESSIONS: readonly (readonly [RegExp, string | undefined])[] = [
  [/\.tar$/, undefined],
  [/\.(tar\.gz|tgz)$/, '--gzip'],
  [/\.(tar\.xz|txz)$/, '--xz'],
  [/\.(tar\.zst|tzst)$/, '--zstd'],
  [/\.(tar\.bz2|tbz2?)$/, '--bzip2'],
];
const KEEP_ALL = [
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=*',
  '--acls',
  '--selinux',
  '--sparse',
  '--format=posix',
];

/** Of the file that is written. */
const SECRET = 0o600;
const STANDARD_OUTPUT = 1;
const TRUSTED = 'trusted.';
/** What tar, or the program that compresses for it, says where a disk or a quota is full. */
const FULL = ['No space left on device', 'Disk quota exceeded', 'Wrote only '];

export interface ExportRequest {
  /** `NAME[@REV]`. */
  readonly revision: string;
  /** A file that is not there yet; undefined for standard output, uncompressed. */
  readonly output: string | undefined;
  readonly acceptBase: boolean;
}

/** @throws LxcvError `bad-usage` for a name with an ending that means nothing, `output-exists`, `failed`, `no-space`, `base-changed`, and those of resolving a revision. */
export async function exportVersion(
  context: Context,
  { revision, output, acceptBase }: ExportRequest,
): Promise<NamedVersion> {
  const { version, repository } = await retryUntilStable(context, (reading) => findRevision(reading, revision));
  checkLayers(context, repository.layout, version);
  checkBases(context, version.bases, acceptBase);
  const { files } = context.host;
  const compression = output === undefined ? undefined : compressionOf(output);
  if (output !== undefined) checkPlace(files, output);
  const layers = [...layersOfVersion(repository.layout, version), repository.layout.empty];
  const burden = await runJob(context, `looking through ${revision}`, weigh(files, layers));
  using _ = context.host.signals.hold();
  using staged = output === undefined ? undefined : stage(context, output);
  await pack(context, revision, layers, burden, output, compression, staged?.place ?? STANDARD_OUTPUT);
  if (staged !== undefined && output !== undefined) {
    publish(staged, output);
    files.sync(`${dirname(output)}/.`);
  }
  return { version, refs: refsAt(repository, version.id) };
}

/** What is written, until it is whole; disposing leaves nothing of it. */
interface Staged extends Disposable {
  /** An open file, or a path. */
  readonly place: number | string;
  /** @throws EEXIST. */
  publish(): void;
}

/** A file without a name leaves nothing behind, also where lxcv is killed. Not every file system has them. */
function stage({ host: { files, randomBytes } }: Context, output: string): Staged {
  const directory = dirname(output);
  const nameless = files.createNameless(directory, SECRET);
  if (nameless !== undefined) {
    return {
      place: nameless.descriptor,
      publish: () => nameless.publish(output),
      [Symbol.dispose]: () => nameless[Symbol.dispose](),
    };
  }
  const place = `${directory}/.lxcv-${newId(randomBytes)}`;
  files.create(place, '', SECRET);
  return {
    place,
    publish() {
      files.sync(place);
      files.renameNew(place, output);
    },
    [Symbol.dispose]() {
      // Gone once it was renamed. Where the disk fails, the error before this one is the one to throw.
      tolerate(['ENOENT', 'EIO', 'EROFS'], () => files.unlink(place));
    },
  };
}

function publish(staged: Staged, output: string): void {
  try {
    staged.publish();
  } catch (error) {
    throw isErrno(error, 'EEXIST') ? outputExists(output) : error;
  }
}

/** What there is to pack, as an upper bound. */
interface Burden {
  /** Of blocks on disk. */
  bytes: number;
  entries: number;
  /** True where something has an attribute that the kernel shows to root alone. */
  isTrusted: boolean;
}

function* weigh(files: FilesRead, layers: readonly string[]): Job<Burden> {
  const burden: Burden = { bytes: 0, entries: 0, isTrusted: false };
  for (const layer of layers) {
    for (const { location, stat } of runRecursion(walkLayer(files, `${layer}/.`))) {
      burden.bytes += stat.allocated;
      burden.entries += 1;
      burden.isTrusted ||= files.xattrNames(location).some((name) => name.startsWith(TRUSTED) && !isBookkeeping(name));
      yield;
    }
  }
  return burden;
}

/** Several times what GNU tar takes with the slowest compression, and what it writes of an entry at most besides its bytes. */
function limitsOf({ bytes, entries }: Burden): Limits {
  return {
    cpuSeconds: 60 + bytes / 200_000 + entries / 1000,
    memoryBytes: 2 ** 33,
    fileBytes: 2 ** 20 + 2 * bytes + entries * 2 ** 18,
  };
}

async function pack(
  context: Context,
  revision: string,
  layers: readonly string[],
  burden: Burden,
  output: string | undefined,
  compression: string | undefined,
  place: number | string,
): Promise<void> {
  const { signals, programs } = context.host;
  const words = compression === undefined ? [] : [compression];
  const args = ['--create', '--directory', MOUNT_POINT, ...KEEP_ALL, ...words, '--file', '-', '.'];
  await using tar = programs.startConfined('tar', args, {
    limits: limitsOf(burden),
    stdout: place,
    overlay: readOnlyMountOptions(layers),
    capabilities: burden.isTrusted ? ['dac_read_search', 'sys_admin'] : ['dac_read_search'],
    abort: signals.abort,
  });
  const result = await tar.result;
  signals.check();
  if (result.missing) throw new LxcvError('failed', 'there is no tar program', 'Install it: apt-get install tar');
  const said = result.stderr.trim().split('\n');
  const ignored = ': socket ignored';
  const sockets = said.filter((line) => line.startsWith('tar: ') && line.endsWith(ignored));
  const [first] = sockets;
  if (first !== undefined) {
    const path = first.slice('tar: '.length, -ignored.length);
    const message = `tar cannot hold sockets: left out ${sockets.length}, the first ${path}`;
    context.report({ kind: 'notice', message });
  }
  // Nobody reads any more what it writes.
  const isUnread = output === undefined && result.signal === 'SIGPIPE';
  if (result.exitCode === 0 || isUnread) return;
  if (said.some((line) => FULL.some((reason) => line.includes(reason)))) throw noSpace(output);
  const isBroken = ['SIGSEGV', 'SIGABRT', 'SIGKILL'].includes(result.signal ?? '');
  throw new LxcvError(
    'failed',
    `tar failed: ${result.ended ?? (said.find((line) => !line.endsWith(ignored)) ?? '').replace(/^tar: /, '')}`,
    isBroken
      ? `The tree may be nested too deep for tar, or too large for its limits. To pack it by another program: lxcv mount ${revision} /mnt`
      : 'Nothing was written. Look at what it says of itself, and try again.',
  );
}

/** As git archive, a name without an ending is that of a plain tarball. */
function compressionOf(output: string): string | undefined {
  const name = basename(output);
  const known = COMPRESSIONS.find(([ending]) => ending.test(name));
  if (known !== undefined || !name.includes('.', 1)) return known?.[1];
  throw new LxcvError(
    'bad-usage',
    `lxcv export does not know what ${name} is to be by its ending`,
    'It writes .tar, .tar.gz (.tgz), .tar.xz (.txz), .tar.zst (.tzst) and .tar.bz2 (.tbz2); -o - is a plain tarball to standard output.',
  );
}

function noSpace(output: string | undefined): LxcvError {
  if (output === undefined) {
    const message = 'standard output could not be written: no space left on device';
    return new LxcvError('output-failed', message, 'Free some, or write it to another disk.');
  }
  return new LxcvError(
    'no-space',
    `the tarball could not be written: no space left on the file system of ${dirname(output)}`,
    'Free some, or export to another one. Nothing is left of what was written.',
  );
}

function checkPlace(files: FilesRead, output: string): void {
  if (files.stat(output) !== undefined) throw outputExists(output);
  if (files.statTarget(dirname(output))?.type === 'directory') return;
  throw new LxcvError('failed', `there is no directory ${dirname(output)}`, 'Make it, or name a file elsewhere.');
}

function outputExists(output: string): LxcvError {
  return new LxcvError('output-exists', `${output} is there already`, 'Choose another name, or remove it first.');
}
