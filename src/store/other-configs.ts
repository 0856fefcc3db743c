/** Configs of LXC's that may name what is a container's: those beside its own, and those of snapshots and clones. */

import { type FilesRead, isSystemError } from '../host/files.js';
import type { Host } from '../host/host.js';
import { type LxcConfig, parseLxcConfig, type Setting, settingsWithIncludes } from '../model/lxc-config.js';
import { includedFiles, readInclude } from './containers.js';
import type { ContainerLayout } from './lxc-layout.js';

/** What a config sets, includes and all, and, as settings of `lxc.include` without a line, all files and directories that are included. */
export function obeyedSettings(host: Host, config: LxcConfig): Setting[] {
  const included = new Set<string>();
  const settings = settingsWithIncludes(config, (path) => {
    for (const each of [path, ...includedFiles(host.files, path)]) included.add(each);
    return readInclude(host, path);
  });
  return [...[...included].map((value) => ({ key: 'lxc.include', value, line: 0 })), ...settings];
}

/**
 * The configs, but for its own, whose owners may use what a container has: of each container under the same lxcpath, or another one
 * that is known and root's, of the snapshots that lxc-snapshot and lxc-snap made of them, and of the clones that the container lists.
 */
export function* otherConfigs(
  host: Host,
  { lxcpath, config, clones }: ContainerLayout,
  otherLxcpaths: readonly string[],
): Generator<{ readonly path: string; readonly settings: readonly Setting[] }> {
  const seen = new Set([identify(host, config)]);
  const lxcpaths = new Set([lxcpath, ...otherLxcpaths.filter((path) => host.files.statTarget(path)?.uid === 0)]);
  for (const path of new Set(configsAround(host, lxcpaths, clones))) {
    const id = identify(host, path);
    if (id === undefined || seen.has(id)) continue;
    seen.add(id);
    const settings = readSettings(host, path);
    if (settings !== undefined) yield { path, settings };
  }
}

function* configsAround(host: Host, lxcpaths: Iterable<string>, clones: string): Generator<string> {
  for (const root of lxcpaths) {
    for (const name of directoriesIn(host, root)) {
      yield `${root}/${name}/config`;
      for (const snapshot of directoriesIn(host, `${root}/${name}/snaps`)) {
        yield `${root}/${name}/snaps/${snapshot}/config`;
      }
    }
    for (const name of directoriesIn(host, `${root}/snapshots`)) yield `${root}/snapshots/${name}/config`;
    for (const name of directoriesIn(host, `${root}snaps`)) {
      yield `${root}snaps/${name}/config`;
      for (const snapshot of directoriesIn(host, `${root}snaps/${name}`)) {
        yield `${root}snaps/${name}/${snapshot}/config`;
      }
    }
  }
  const lines = readClones(host.files, clones).split('\n');
  for (let at = 0; at + 1 < lines.length; at += 2) yield `${lines[at]}/${lines[at + 1]}/config`;
}

/** What an `lxc_snapshots` tells, as text; nothing where it is no file. */
export function readClones(files: FilesRead, path: string): string {
  return (files.stat(path)?.type === 'file' ? files.readIfPresent(path)?.toString('utf8') : undefined) ?? '';
}

function directoriesIn({ files }: Host, path: string): string[] {
  if (files.statTarget(path)?.type !== 'directory') return [];
  return (files.list(path) as string[]).filter((name) => files.statTarget(`${path}/${name}`)?.type === 'directory');
}

/** Of a regular file alone: what else is called `config` is nobody's config. */
function identify({ files }: Host, path: string): string | undefined {
  try {
    const stat = files.statTarget(path);
    return stat?.type === 'file' ? `${stat.device}:${stat.inode}` : undefined;
  } catch (error) {
    // What a list of clones names may be too long a path.
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** @returns undefined for what LXC could not read either. */
function readSettings(host: Host, path: string): Setting[] | undefined {
  try {
    return obeyedSettings(host, parseLxcConfig(host.files.read(host.files.realPath(path) ?? path)));
  } catch (error) {
    if (isSystemError(error) || (error as { code?: string }).code === 'failed') return undefined;
    throw error;
  }
}
