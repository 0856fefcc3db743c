/**
 * Checks whether hooks of a container, which LXC runs on the host, reach into its root file system by the path that it has now. After a
 * first commit nothing is there any more, and `LXC_ROOTFS_PATH` is not a directory but the layers of an overlay.
 */

import type { FilesRead } from '../host/files.js';
import { LxcvError } from '../model/errors.js';
import type { Setting } from '../model/lxc-config.js';
import type { Container } from '../store/containers.js';
import { chainOfPresent, type DirectoryId, directoryId } from './directory-chain.js';

/** Programs of the host that LXC runs when a container starts or stops: `start` is one in the container, and `clone` makes another. */
const HOOK = /^lxc\.(?:hook\.(?:pre-start|pre-mount|mount|autodev|start-host|stop|post-stop)|net\.\d+\.script\..*)$/;
/** So much of a program is read: a script is shorter. */
const SCRIPT_BYTES_MAX = 1 << 20;
const SCRIPT_PATHS_MAX = 10_000;
/** A hook that cuts `${LXC_ROOTFS_PATH#*:}` expects layers in it. */
const ROOTFS_PATH = /(?<!\$\{)LXC_ROOTFS_PATH|(?<=\$\{)LXC_ROOTFS_PATH(?![#%/])/;
/** What stands before the rest of a path that is put together. */
const EXPANSION_END = /(?:\$\w{1,64}|[})"'`])$/;

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
  const inside = delta.startsWith(`${layout.root}/`) ? delta.slice(layout.root.length) : undefined;
  for (const { key, value } of settings.filter((setting) => HOOK.test(setting.key))) {
    const programs = value.split(/[\s"']+/).filter((word) => word.startsWith('/'));
    for (const [where, text] of [
      [value, value] as const,
      ...programs.map((path) => [path, readScript(files, path)] as const),
    ]) {
      const found =
        pathInto(local, text, inside, root) ?? (isPlain && ROOTFS_PATH.test(text) ? '$LXC_ROOTFS_PATH' : undefined);
      if (found === undefined) continue;
      throw new LxcvError(
        'not-movable',
        `${key} of ${name} (${where}) names ${found}, and after a commit its root file system is no directory of the host any more`,
        `Have a hook lxc.hook.mount do it: there, $LXC_ROOTFS_MOUNT is the root file system, before a commit and after it.`,
      );
    }
  }
}

/** A path of a text that leads into the root file system. @param inside where that lies in the container's directory. */
function pathInto(files: FilesRead, text: string, inside: string | undefined, root: DirectoryId): string | undefined {
  const paths = new Set(text.match(/\/[^\s\0"'`$(){}<>|&;:,*?[\]\\]{1,4096}/g));
  for (const path of [...paths].slice(0, SCRIPT_PATHS_MAX)) if (chainOfPresent(files, path).has(root)) return path;
  if (inside === undefined) return undefined;
  const parts = text.split(inside);
  const at = parts.findIndex(
    (part, index) =>
      EXPANSION_END.test(part.slice(-80)) && index + 1 < parts.length && !/^[\w.-]/.test(parts[index + 1] ?? ''),
  );
  return at < 0 ? undefined : `${(parts[at] ?? '').slice(-80).split(/\s/).at(-1)}${inside}`;
}

/** The text of a program without its comments; none of what is no file. */
function readScript(files: FilesRead, path: string): string {
  if (directoryId(files, path) === undefined || files.statTarget(path)?.type !== 'file') return '';
  using file = files.openFile(files.realPath(path) ?? path);
  const bytes = Buffer.alloc(Math.min(file.size, SCRIPT_BYTES_MAX));
  const text = bytes.subarray(0, file.read(bytes, 0)).toString('utf8');
  return text.replace(/^[ \t]*#.*$/gm, '');
}
