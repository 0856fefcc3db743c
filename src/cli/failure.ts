/** Turns whatever ended a command into two lines for a person, or JSON for a program, and an exit code. */

import { isErrno } from '../host/files.js';
import { belowDescriptor } from '../host/libc.js';
import { openFilesMax, raiseOpenFiles } from '../host/open-files.js';
import { type ErrorCode, type ErrorData, EXIT_CODES, LxcvError } from '../model/errors.js';
import { escapeText } from '../render/escape.js';
import { fill } from '../render/width.js';
import { toJsonText } from './json-text.js';
import { ReaderGone, standardError, standardOutput } from './output.js';

/** Errors of the system that a user can do something about. */
const SYSTEM_ERRORS: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  ENOSPC: ['no-space', 'no space is left on the device', 'Free some, and run the command again. Nothing is lost.'],
  EDQUOT: ['no-space', 'the disk quota is used up', 'Free some, and run the command again. Nothing is lost.'],
  EROFS: ['read-only', 'the file system is read-only', 'Mount it for writing: mount -o remount,rw'],
  EXDEV: [
    'other-file-system',
    'the store and the container are not on one file system',
    'lxcv keeps its store beside the lxcpath, with the v appended: both must be on the same one.',
  ],
  ENAMETOOLONG: ['too-long', 'a path is too long for the system', 'Use a shorter name or lxcpath.'],
  EBUSY: ['container-in-use', 'a file or directory is in use', 'See what uses it (findmnt, fuser), and try again.'],
  EIO: [
    'failed',
    'the disk reports an error',
    'See what the kernel says of it (dmesg). lxcv fsck tells whether the store is whole.',
  ],
  EFBIG: ['failed', 'a file is larger than lxcv, or the system, allows', 'See what the limit of a file is: ulimit -f'],
  EACCES: ['failed', 'permission denied', 'Look at the owner and mode of what it names.'],
  EPERM: ['failed', 'the system did not permit it', 'Run as root, and look for an immutable file (lsattr).'],
  ENFILE: ['failed', 'too many files are open on this machine', 'Raise the limit: sysctl fs.file-max'],
  ENOMEM: [
    'failed',
    'there is no memory left',
    'Free some (free -m tells how much there is), and run the command again.',
  ],
  EAGAIN: [
    'failed',
    'no more processes can be started',
    'Raise the limit (ulimit -u), or end some, and run the command again.',
  ],
};

/** What a command ends with when it fails: one line, one line, and what a script goes by. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly data?: ErrorData | undefined;
}

/**
 * Tells what ended a command, and sets the exit code: with `asJson` on standard output, where that can be written to and nothing
 * stands there yet, and else on standard error. It throws nothing.
 * @param pastable makes a hint fit the command line that was given.
 */
export async function tellFailure(
  error: unknown,
  asJson: boolean,
  pastable: (hint: string) => string = (hint) => hint,
): Promise<void> {
  if (error instanceof ReaderGone) return;
  if (process.env.LXCV_DEBUG) console.error(error);
  const told = toFailure(error);
  const failure = { ...told, hint: pastable(told.hint) };
  process.exitCode = EXIT_CODES[failure.code];
  if (asJson && !standardOutput.hasBegun) {
    try {
      await standardOutput.write(`${toJsonText({ error: failure })}\n`);
      return;
    } catch {
      // Then standard error has it.
    }
  }
  showFailure(failure);
}

/** Tells it on standard error. */
export function showFailure(failure: Failure): void {
  standardError.write(formatFailure(failure, standardError.isTTY ? standardError.columns : undefined));
}

export function toFailure(error: unknown): Failure {
  if (error instanceof LxcvError) {
    const { code, message, hint, data } = error;
    return { code, message, hint, data };
  }
  if (isErrno(error, 'EMFILE')) return tooManyOpen(error as Error & { readonly path?: unknown });
  const known = SYSTEM_ERRORS[String((error as { code?: unknown } | null)?.code)];
  const message = error instanceof Error ? error.message : String(error);
  if (known !== undefined) return { code: known[0], message: `${known[1]} (${message})`, hint: known[2] };
  return {
    code: 'failed',
    message: `something that lxcv did not expect: ${message}`,
    hint: 'Run any lxcv command again: it finishes or rolls back what was begun. Set LXCV_DEBUG=1 for a stack trace.',
  };
}

/** A walk holds a directory open for each level: the path of the one that is too many says nothing to a person. */
function tooManyOpen({ message, path }: Error & { readonly path?: unknown }): Failure {
  const isDeep = belowDescriptor(String(path)) !== undefined;
  const told = isDeep
    ? `: lxcv may have ${openFilesMax()}, and has one or more for each level of directories that are nested`
    : ` (${message})`;
  return { code: 'failed', message: `too many files are open${told}`, hint: `Raise the limit: ${raiseOpenFiles()}` };
}

const INDENT = '      ';

/**
 * The two lines, with nothing in them that a terminal would obey.
 * @param columns of the terminal, where it is one: longer lines are broken between words, but for commands, which are to be pasted.
 */
export function formatFailure({ message, hint }: Failure, columns?: number): string {
  const room = (columns || Number.POSITIVE_INFINITY) - INDENT.length;
  const told = fill(line(message).split(' '), room);
  const advice = fill(wordsAndCommands(line(hint)), room);
  return `lxcv: ${told.join(`\n${INDENT}`)}\n${INDENT}${advice.join(`\n${INDENT}`)}\n`;
}

/** The words of a hint, each command in it as one, up to a stop behind it; and so is each `[-n N]` of a usage line. */
function wordsAndCommands(hint: string): string[] {
  const words: string[] = [];
  let isInCommand = false;
  for (const word of hint.split(' ')) {
    const isUsage = words.at(-1) === 'Usage:';
    const isInBrackets = words.includes('Usage:') && /^\[[^\]]*[^\]|]$/.test(words.at(-1) ?? '');
    if (isInCommand || isInBrackets) words.push(`${words.pop()} ${word}`);
    else words.push(word);
    isInCommand = (isInCommand || (/^(lxcv|lxc-[a-z]+)$/.test(word) && !isUsage)) && !/[;,.:?)]$/.test(word);
  }
  return words;
}

function line(text: string): string {
  return escapeText(text.replaceAll('\n', ' '));
}
