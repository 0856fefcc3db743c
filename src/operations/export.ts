/** export: the whole root file system of a version as a tarball, by GNU tar from a read-only mount. */

import { dirname } from 'node:path';
import { isErrno } from '../host/host.js';
import { readOnlyMountOptions } from '../layer/overlayfs.js';
import { LxcvError } from '../model/errors.js';
import { newId } from '../model/ids.js';
import type { Version } from '../model/version.js';
import { checkBases, checkLayers, layersOfVersion } from './layers.js';
import { findRevision } from './lookup.js';
import type { World } from './world.js';

/** The option of GNU tar that compresses, by the end of the file's name. */
const COMPRESSIONS: readonly (readonly [RegExp, string])[] = [
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

export interface ExportRequest {
  /** `NAME[@REV]`. */
  readonly revision: string;
  /** A file that is not there yet; undefined for standard output, uncompressed. */
  readonly output: string | undefined;
  readonly acceptBase: boolean;
}

/** @throws LxcvError `output-exists`, `failed`, `base-changed`, and those of looking a revision up. */
export async function exportVersion(world: World, { revision, output, acceptBase }: ExportRequest): Promise<Version> {
  const { version, repository } = findRevision(world, revision);
  checkLayers(world, repository.layout, version);
  checkBases(world, version.bases, acceptBase);
  const { files } = world.host;
  if (output !== undefined && files.stat(output) !== undefined) throw outputExists(output);
  const layers = [...layersOfVersion(repository.layout, version), repository.layout.empty];
  const staged = output === undefined ? undefined : `${dirname(output)}/.lxcv-${newId(world.host.randomBytes)}`;
  using _ = world.host.signals.hold();
  using mount = world.host.mounts.mountPrivately(readOnlyMountOptions(layers));
  try {
    await pack(world, mount.path, staged, COMPRESSIONS.find(([name]) => name.test(output ?? ''))?.[1]);
    if (staged !== undefined && output !== undefined) {
      files.sync(staged);
      files.renameNew(staged, output);
    }
  } catch (error) {
    if (staged !== undefined && files.stat(staged) !== undefined) files.unlink(staged);
    throw isErrno(error, 'EEXIST') ? outputExists(output as string) : error;
  }
  return version;
}

async function pack(
  world: World,
  root: string,
  output: string | undefined,
  compression: string | undefined,
): Promise<void> {
  const args = ['--create', '--directory', root, ...KEEP_ALL, ...(compression === undefined ? [] : [compression])];
  const { signals, programs } = world.host;
  const result = await programs.run('tar', [...args, '--file', output ?? '-', '.'], {
    abort: signals.abort,
    ...(output === undefined ? { stdout: 'inherit' } : {}),
  });
  signals.check();
  if (result.missing) throw new LxcvError('failed', 'there is no tar program', 'Install it: apt-get install tar');
  const sockets = [...result.stderr.matchAll(/^tar: (.*): socket ignored$/gm)].map(([, path]) => path);
  if (sockets.length > 0) {
    world.report({
      kind: 'notice',
      message: `tar cannot hold sockets: left out ${sockets.length}, the first ${sockets[0]}`,
    });
  }
  // Ended by a signal, of which only a broken pipe's is left here: nobody reads what it writes any more.
  const isUnread = output === undefined && result.exitCode === undefined;
  if (result.exitCode === 0 || isUnread) return;
  const [full] = /No space left on device|Wrote only \d+ of \d+ bytes/.exec(result.stderr) ?? [];
  if (full !== undefined) throw outputFull(output);
  const said = result.stderr.trim().split('\n').at(-1) ?? '';
  throw new LxcvError(
    'failed',
    `tar failed: ${said.replace(/^tar: /, '')}`,
    'Look whether the disk is full, and try again.',
  );
}

function outputFull(output: string | undefined): LxcvError {
  const what = output === undefined ? 'standard output' : 'the tarball';
  return new LxcvError(
    'output-failed',
    `${what} could not be written: no space left on device`,
    'Free some, or write it to another disk.',
  );
}

function outputExists(output: string): LxcvError {
  return new LxcvError('output-exists', `${output} is there already`, 'Choose another name, or remove it first.');
}
