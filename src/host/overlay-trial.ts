/**
 * Overlays that are made and never mounted, to ask the kernel what only it knows. It marks the inode of each upper directory while
 * an overlay has it, in whatever mount namespace and under whatever name, and refuses such a one as a lower directory of an overlay
 * with an index (EBUSY). So a superblock that nobody sees tells whether a directory is in use, by what it is: see
 * docs/decisions/0022-by-identity.md.
 */

import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from './files.js';
import { closeDescriptor, createOverlay, makeNode, openPlace, tryLock } from './native.js';
import { setXattr } from './xattrs.js';

const S_IFCHR = 0o020000;
/** Where trials are made, if it can hold them; nothing of it outlives a restart of the machine. */
const RUN = '/run/lxcv';
/** What a trial's directory is called; the lock on it tells whether its process lives. */
const TRIAL = '.trial-';
/** What is asked in one trial, of the 500 layers that an overlay may have. Before Linux 6.8 it is asked again of fewer. */
const AT_ONCE = 400;
/** What one option can name: it has at most 255 bytes, and a name of a file descriptor 20. More need an option each. */
const IN_OPTION = 11;
/** What an option of its own can name as it is: as many bytes, and nothing that the kernel would take for more than itself. */
const PLAIN = /^[\w./@+-]{1,255}$/;
const OPTIONS = [
  ['redirect_dir', 'off'],
  ['metacopy', 'off'],
  ['xino', 'off'],
  ['nfs_export', 'off'],
] as const;
const WITH_INDEX = [['index', 'on'], ...OPTIONS] as const;
const WITHOUT_INDEX = [['index', 'off'], ...OPTIONS] as const;

/**
 * Which of some directories are the upper directory of an overlay that lives, on this machine.
 * @param directories that are there, each another one.
 * @param spare a directory of lxcv's on a file system that can hold upper directories, for a machine where /run cannot.
 * @returns nothing of those of which the kernel tells nothing: before Linux 5.2, or on a file system without file handles.
 */
export function askUppers(directories: readonly string[], spare: string): ReadonlyMap<string, boolean> {
  const answers = new Map<string, boolean>();
  for (const place of [RUN, spare]) {
    const open = directories.filter((directory) => !answers.has(directory));
    if (open.length === 0) break;
    using scratch = openScratch(place);
    if (scratch === undefined) continue;
    for (let at = 0; at < open.length; at += AT_ONCE) ask(scratch, open.slice(at, at + AT_ONCE), answers);
  }
  return answers;
}

/**
 * Why an overlay cannot have its upper directory in a directory, in the kernel's words, or undefined where it can. It is tried, with
 * the options and the marks that lxcv's containers need.
 */
export function whyNoUpper(directory: string): string | undefined {
  try {
    using scratch = makeScratch(directory);
    const upper = scratch.makeDirectory();
    const error = tryOverlay([scratch.makeDirectory()], upper, scratch.makeDirectory(), WITHOUT_INDEX);
    // Before Linux 5.2 there is no way to ask without a mount.
    if (error !== undefined && error !== 'ENOSYS') return error;
    setXattr(upper, 'trusted.overlay.opaque', Buffer.from('y'));
    makeNode(join(upper, 'whiteout'), S_IFCHR, 0n);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/** One trial for all of the directories, and where it is refused one for each half. */
function ask(scratch: Scratch, directories: readonly string[], answers: Map<string, boolean>): void {
  const [first] = directories;
  if (first === undefined) return;
  const upper = scratch.makeDirectory();
  const work = scratch.makeDirectory();
  const error = tryOverlay([scratch.makeDirectory(), ...directories], upper, work, WITH_INDEX);
  if (error !== undefined && directories.length > 1) {
    const half = directories.length >> 1;
    ask(scratch, directories.slice(0, half), answers);
    ask(scratch, directories.slice(half), answers);
  } else if (error === 'EBUSY') {
    answers.set(first, true);
  } else if (error === undefined && existsSync(join(work, 'index'))) {
    // On some file systems the kernel does without an index, and then it refuses nothing.
    for (const directory of directories) answers.set(directory, false);
  }
}

/** Makes an overlay and ends it. @returns the error, or undefined where there is none. */
function tryOverlay(
  lowers: readonly string[],
  upper: string,
  work: string,
  options: readonly (readonly [string, string])[],
): string | undefined {
  const opened: number[] = [];
  // Most directories are named by descriptors: no path is too long, and none has to be escaped.
  const open = (path: string) => {
    const fd = openPlace(path);
    opened.push(fd);
    return `/proc/self/fd/${fd}`;
  };
  try {
    const all: (readonly [string, string])[] = [
      // To open hundreds at once has the kernel wait for all processors, each time that its table of them grows.
      ...(lowers.length > IN_OPTION
        ? lowers.map((lower) => ['lowerdir+', PLAIN.test(lower) ? lower : open(lower)] as const)
        : [['lowerdir', lowers.map(open).join(':')] as const]),
      ['upperdir', open(upper)],
      ['workdir', open(work)],
      ...options,
    ];
    // At its end an overlay has the whole file system of its upper directory written to disk; from Linux 5.10 on not a volatile one.
    const error = createAndClose([...all, ['volatile']]);
    return error === 'EINVAL' ? createAndClose(all) : error;
  } catch (error) {
    return codeOf(error);
  } finally {
    for (const fd of opened) closeDescriptor(fd);
  }
}

function createAndClose(options: Iterable<readonly [string, string?]>): string | undefined {
  try {
    closeDescriptor(createOverlay(options));
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/** A directory for trials. It goes when it is disposed of. */
interface Scratch extends Disposable {
  /** Makes a directory in it. */
  makeDirectory(): string;
}

/** @returns undefined where none can be made. */
function openScratch(place: string): Scratch | undefined {
  try {
    if (place === RUN) mkdirSync(RUN, { recursive: true, mode: 0o700 });
    return makeScratch(place);
  } catch (error) {
    codeOf(error);
    return undefined;
  }
}

/** Removes what trials that were killed have left beside it, too. */
function makeScratch(place: string): Scratch {
  for (const name of readdirSync(place)) {
    if (name.startsWith(TRIAL)) removeIfLeft(join(place, name));
  }
  for (;;) {
    const path = mkdtempSync(join(place, TRIAL));
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    // Another process may have taken it for one that was left, and have it removed.
    if (!tryLock(fd) || !existsSync(path)) {
      closeSync(fd);
      continue;
    }
    let made = 0;
    return {
      makeDirectory() {
        const directory = join(path, `${made}`);
        mkdirSync(directory, { mode: 0o755 });
        made += 1;
        return directory;
      },
      [Symbol.dispose]() {
        removeTree(path);
        closeSync(fd);
      },
    };
  }
}

function removeIfLeft(path: string): void {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    if (tryLock(fd)) removeTree(path);
    closeSync(fd);
  } catch (error) {
    codeOf(error);
  }
}

/** What a trial has made: `rmSync` takes five times as long for these few. */
function removeTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(path, entry.name));
    else unlinkSync(join(path, entry.name));
  }
  rmdirSync(path);
}

/** @throws what is no error of the system. */
function codeOf(error: unknown): string {
  if (isSystemError(error)) return (error as { code: string }).code;
  throw error;
}
