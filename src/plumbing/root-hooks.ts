/**
 * Checks whether hooks, which LXC runs on the host, reach into the root file system of a container by the path that it has now. After a
 * first commit nothing is there any more, and `LXC_ROOTFS_PATH` is not a directory but the layers of an overlay.
 */

import type { FilesRead } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import type { Setting } from '../model/lxc-config.js';
import type { Container } from '../store/containers.js';
import { chainOfPresent, type DirectoryId, directoryId, unlessUnknown } from './directory-chain.js';

/** Programs of the host that LXC runs when a container starts or stops: `start` is one in the container, and `clone` makes another. */
const HOOK = /^lxc\.(?:hook\.(?:pre-start|pre-mount|mount|autodev|start-host|stop|post-stop)|net\.\d+\.script\..*)$/;
/** So much of a program is read: a script is shorter. */
const SCRIPT_BYTES_MAX = 1 << 20;
const SCRIPT_PATHS_MAX = 10_000;
/** A first line `#!` is none: the program that it names is run. */
const COMMENT = /^[ \t]*#(?!!).*$/gm;
/** A hook that cuts `${LXC_ROOTFS_PATH#*:}` expects layers in it. */
const ROOTFS_PATH = /(?<!\$\{)LXC_ROOTFS_PATH|(?<=\$\{)LXC_ROOTFS_PATH(?![#%/])/;
/** What stands before the rest of a path that is put together. */
const EXPANSION_END = /(?:\$\w{1,64}|[})"'`])$/;

/** A hook that reaches into a root file system. */
interface Reach {
  readonly key: string;
  /** The program that does, or the value of the setting. */
  readonly where: string;
  readonly isProgram: boolean;
  /** What it names, as it stands there. */
  readonly names: string;
}

/**
 * @param local reads for what a script may name.
 * @param delta the root file system; `isPlain` where that is a directory and no upper one.
 * @throws LxcvError `not-movable`.
 */
export function checkHooks(
  files: FilesRead,
  local: FilesRead,
  { name, layout }: Container,
  settings: readonly Setting[],
  { delta, isPlain }: { readonly delta: string; readonly isPlain: boolean },
  root: DirectoryId,
): void {
  const below = pathBelow(layout.root, delta);
  const isLayers = (text: string) => isPlain && ROOTFS_PATH.test(text);
  const find = (text: string) =>
    pathInto(local, text, below, root) ?? (isLayers(text) ? '$LXC_ROOTFS_PATH' : undefined);
  const reach = reachOf(files, find)(settings);
  if (reach === undefined) return;
  throw new LxcvError(
    'not-movable',
    `${reach.key} of ${name} (${reach.where}) names ${reach.names}, and after a commit its root file system is no directory of the host any more`,
    `Have a hook lxc.hook.mount do it: there, $LXC_ROOTFS_MOUNT is the root file system, before a commit and after it.`,
  );
}

/**
 * Finds hooks of other containers that reach into the root file system of this one.
 * @param local reads those hooks, and for what they may name.
 */
export function othersReach(
  local: FilesRead,
  { layout }: Container,
  delta: string,
  root: DirectoryId,
): (settings: readonly Setting[]) => Reach | undefined {
  const below = pathBelow(layout.lxcpath, delta);
  return reachOf(local, (text) => pathInto(local, text, below, root));
}

/** @param find what a text names. Each program is read once, however many hooks name it. */
function reachOf(
  files: FilesRead,
  find: (text: string) => string | undefined,
): (settings: readonly Setting[]) => Reach | undefined {
  const known = new Map<DirectoryId, string | undefined>();
  const findInProgram = (path: string) => {
    const id = directoryId(files, path);
    if (id === undefined) return undefined;
    if (!known.has(id)) known.set(id, find(readScript(files, path)));
    return known.get(id);
  };
  return (settings) => {
    for (const { key, value } of settings.filter((setting) => HOOK.test(setting.key))) {
      const names = find(value);
      if (names !== undefined) return { key, where: value, isProgram: false, names };
      for (const where of value.split(/[\s"']+/).filter((word) => word.startsWith('/'))) {
        const named = findInProgram(where);
        if (named !== undefined) return { key, where, isProgram: true, names: named };
      }
    }
    return undefined;
  };
}

/** What follows the path of a directory in that of what lies in it, with a slash before it. */
function pathBelow(directory: string, path: string): string | undefined {
  return path.startsWith(`${directory}/`) ? path.slice(directory.length) : undefined;
}

/** A path of a text that leads into the root file system. @param below the end of that of one that is put together: `/rootfs`. */
function pathInto(files: FilesRead, text: string, below: string | undefined, root: DirectoryId): string | undefined {
  const paths = new Set(text.match(/\/[^\s\0"'`$(){}<>|&;:,*?[\]\\]{1,4096}/g));
  for (const path of [...paths].slice(0, SCRIPT_PATHS_MAX)) if (chainOfPresent(files, path).has(root)) return path;
  if (below === undefined) return undefined;
  const parts = text.split(below);
  const at = parts.findIndex(
    (part, index) =>
      EXPANSION_END.test(part.slice(-80)) && index + 1 < parts.length && !/^[\w.-]/.test(parts[index + 1] ?? ''),
  );
  return at < 0 ? undefined : `${(parts[at] ?? '').slice(-80).split(/\s/).at(-1)}${below}`;
}

/** The text of a program without its comments; none of what is no file, or cannot be read, for LXC can then run it neither. */
function readScript(files: FilesRead, path: string): string {
  const text = unlessUnknown(() => {
    if (files.statTarget(path)?.type !== 'file') return undefined;
    using file = files.openFile(files.realPath(path) ?? path);
    const bytes = Buffer.alloc(Math.min(file.size, SCRIPT_BYTES_MAX));
    return bytes.subarray(0, file.read(bytes, 0)).toString('utf8');
  });
  return text?.replace(COMMENT, '') ?? '';
}
