/** LXC's containers as lxcv sees them: their config, and which working delta in the store they stand on. */

import { type FilesRead, isErrno } from '../host/files.js';
import type { Host } from '../host/host.js';
import { parseRootfsPath, type RootfsPath } from '../layer/overlayfs.js';
import { LxcvError } from '../model/errors.js';
import { effectiveValue, type LxcConfig, parseLxcConfig } from '../model/lxc-config.js';
import { isRepositoryName } from '../model/names.js';
import type { ContainerName } from '../model/version.js';
import { parseUpper, RepositoryLayout, storeRoot, type VersionLayout } from './layout.js';
import { ContainerLayout } from './lxc-layout.js';
import { readWorking, type Working } from './working.js';

export interface Container {
  readonly layout: ContainerLayout;
  readonly name: ContainerName;
  readonly configBytes: Buffer;
  readonly config: LxcConfig;
  readonly rootfs: RootfsPath;
  /** `lxc.rootfs.options`. */
  readonly options: string | undefined;
  /** undefined for a container that lxcv does not version, or of whose working delta the store has lost the record. */
  readonly versioned: Versioned | undefined;
  /** The working delta of which there is no record. */
  readonly lost: VersionLayout | undefined;
}

/** A container's place in the store. */
export interface Versioned {
  readonly repository: RepositoryLayout;
  /** The directory of the working delta. */
  readonly layout: VersionLayout;
  readonly working: Working;
}

/** A container that lxcv versions. */
export type VersionedContainer = Container & { readonly versioned: Versioned };

/** The containers under an lxcpath, by name: directories with a config, as `lxc-ls` counts them; those aside that are known. */
export function listContainers(host: Host, lxcpath: string, known: ReadonlySet<string> = new Set()): ContainerName[] {
  if (host.files.stat(lxcpath) === undefined) return [];
  return host.files
    .list(lxcpath)
    .filter((name) => isRepositoryName(name) && !known.has(name))
    .filter((name) => host.files.stat(`${lxcpath}/${name}/config`)?.type === 'file')
    .sort() as string[] as ContainerName[];
}

/** What was included by configs that were read before: many name the same files. */
export type IncludeCache = Map<string, LxcConfig[]>;

/**
 * @param includes spares those that are in it from being read, and takes up what is.
 * @param store its root, where that is known.
 * @returns undefined where there is no such container.
 * @throws LxcvError `store-damaged` for a record that is not whole, `failed` for a config that is no file.
 */
export function readContainer(
  host: Host,
  lxcpath: string,
  name: ContainerName,
  includes: IncludeCache = new Map(),
  store = storeRoot(host.files, lxcpath),
): Container | undefined {
  const layout = new ContainerLayout(lxcpath, name);
  const configBytes = readConfigFile(layout.config, () => host.files.readIfPresent(layout.config));
  if (configBytes === undefined) return undefined;
  const config = parseLxcConfig(configBytes);
  const readOnce = (path: string) => {
    const configs = includes.get(path) ?? readInclude(host, path);
    includes.set(path, configs);
    return configs;
  };
  const value = (key: string) => effectiveValue(config, key, readOnce);
  const rootfs = parseRootfsPath(value('lxc.rootfs.path') ?? '');
  const container = { layout, name, configBytes, config, rootfs, options: value('lxc.rootfs.options') };
  return { ...container, ...findVersioned(host, store, container) };
}

/** The lower directories, top first, that a container's config names for a working delta. */
export function lowersOf(
  repository: RepositoryLayout,
  name: ContainerName,
  working: Pick<Working, 'lowers' | 'bases' | 'mounted'>,
): string[] {
  return [
    ...(working.mounted ?? working.lowers).map((layer) => repository.layer(layer)),
    ...working.bases.map((base) => base.path),
    repository.guard(name),
  ];
}

function findVersioned(
  host: Host,
  store: string,
  { name, rootfs }: Pick<Container, 'name' | 'rootfs'>,
): Pick<Container, 'versioned' | 'lost'> {
  const place = rootfs.kind === 'overlay' ? parseUpper(store, rootfs.upper) : undefined;
  if (place === undefined) return { versioned: undefined, lost: undefined };
  const repository = new RepositoryLayout(store, place.repository);
  const layout = repository.version(place.id);
  const working = readWorking(host.files, layout.working);
  if (working?.container !== name) return { versioned: undefined, lost: layout };
  return { versioned: { repository, layout, working }, lost: undefined };
}

/** The configs that an `lxc.include` adds. @throws LxcvError `failed`. */
export function readInclude({ files }: Host, path: string): LxcConfig[] {
  return includedFiles(files, path).flatMap((file) => {
    const real = files.realPath(file);
    return real === undefined ? [] : [parseLxcConfig(readConfigFile(real, () => files.read(real)))];
  });
}

/** The file that an `lxc.include` names or, of a directory, every `*.conf` in it that is no directory. */
export function includedFiles(files: FilesRead, path: string): string[] {
  if (files.statTarget(path)?.type !== 'directory') return [path];
  const paths = (files.list(path) as string[]).map((name) => `${path}/${name}`);
  return paths.filter((each) => /[^/]\.conf$/.test(each) && files.statTarget(each)?.type !== 'directory').sort();
}

/** Reads what LXC reads as a config. @throws LxcvError `failed` for a FIFO, a device or a directory, and for what is far too large. */
function readConfigFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isErrno(error, 'ESTALE', 'EISDIR', 'ENXIO', 'EFBIG')) throw error;
    const what = isErrno(error, 'EFBIG') ? 'far too large for a config' : 'no file';
    throw new LxcvError(
      'failed',
      `${path} is ${what}, and LXC reads a config from it`,
      `Put a file in its place, or take the line that includes it away. What is there now: ls -ld ${path}`,
      { cause: error },
    );
  }
}
