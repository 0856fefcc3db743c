/** The message of a commit: -m, -F, or the editor. */

import type { Engine } from '../engine.js';
import { edit, readText } from '../host/editor.js';
import { encodeArgument } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { escapeText } from '../render/escape.js';
import { statusLines } from '../render/status.js';
import type { Style } from '../render/style.js';
import { fill } from '../render/width.js';
import { toFailure } from './failure.js';
import { standardError } from './output.js';
import { quoteForShell } from './paste.js';
import { requireText } from './text-argument.js';

export interface MessageFlags {
  readonly message?: string[] | undefined;
  readonly file?: string | undefined;
  readonly 'allow-empty-message'?: boolean;
}

/**
 * As in git, an empty one is none. `isTyped` where somebody wrote it in the editor just now.
 * @param template what the editor begins with.
 * @throws LxcvError `bad-usage` where there is none and nobody to ask for one.
 */
export async function readMessage(
  flags: MessageFlags,
  template: () => Promise<string>,
): Promise<{ readonly message: string; readonly isTyped: boolean }> {
  const given =
    (flags.message && requireText(flags.message.join('\n\n'), 'the message')) ??
    (flags.file === undefined ? undefined : readMessageFile(flags.file));
  const mayBeEmpty = flags['allow-empty-message'] ?? false;
  if (given === undefined && !process.stdin.isTTY && !mayBeEmpty) {
    // What is wrong with the container is told first: no message would help.
    await template();
    throw new LxcvError(
      'bad-usage',
      'no commit message was given',
      'Give one with -m TEXT or -F FILE; --allow-empty-message does without.',
    );
  }
  const message = given ?? (process.stdin.isTTY ? await edit(await template()) : '');
  if (message === undefined) throw new LxcvError('bad-usage', 'the editor failed: nothing was committed', EMPTY_HINT);
  if (message.trim() !== '' || mayBeEmpty) return { message, isTyped: given === undefined && message !== '' };
  throw new LxcvError('bad-usage', 'the message is empty: nothing was committed', EMPTY_HINT);
}

const EMPTY_HINT = 'Write one, or give -m TEXT; --allow-empty-message does without.';

/**
 * A typed message is not lost with a commit that is refused.
 * @param keep puts it into a file, whose path it returns.
 * @param line the command line.
 * @returns the error, with how to commit with that file.
 */
export function keepTyped(error: unknown, message: string, keep: () => string, line: string): unknown {
  const { code, message: told, hint, data } = toFailure(error);
  // Then the version is there, with its message.
  if (code === 'operation-pending') return error;
  try {
    const withFile = (text: string) => text.replace(/lxcv commit/, (words) => `${words} -F ${quoteForShell(keep())}`);
    // Its line is the one that goes on.
    if (code === 'pause-too-long' && hint.includes('lxcv commit')) {
      return new LxcvError(code, told, `The message is kept. ${withFile(hint)}`, {
        cause: error,
        data,
      });
    }
    const again = withFile(line).replace(/commit/, code === 'nothing-to-commit' ? 'commit --allow-empty' : '$&');
    return new LxcvError(code, told, `${hint} The message is kept: ${again}`, { cause: error, data });
  } catch {
    standardError.write(`lxcv: the message could not be kept:\n${escapeText(message, { newlines: true })}\n`);
    return error;
  }
}

/** As git's. */
const TEMPLATE_WIDTH = 72;

/** What the editor shows below the place for the message. */
export function messageTemplate(container: ContainerName, summary: string): string {
  const task = `Describe this version of ${container}. Lines that begin with # are left out; an empty text ends it.`;
  const comment = `${fill(task.split(' '), TEMPLATE_WIDTH).join('\n')}\n\n${summary}`;
  return `\n${comment.replace(/^/gm, '# ')}\n`;
}

/** What is to be committed, as the editor shows it. */
export async function summarize(engine: Engine, container: ContainerName, style: Style): Promise<string> {
  try {
    return [...statusLines(await engine.status(container), { ...style, colour: false })].join('\n');
  } catch (error) {
    if (!(error instanceof LxcvError) || error.code !== 'not-versioned') throw error;
    return `This is the first version of ${container}: it holds all that the container holds.`;
  }
}

function readMessageFile(file: string): string {
  try {
    return readText(encodeArgument(file)).trimEnd();
  } catch (error) {
    if (error instanceof LxcvError) throw error;
    const reason = REASONS[String((error as NodeJS.ErrnoException).code)] ?? `cannot read ${file}`;
    throw new LxcvError('bad-usage', reason.replace('FILE', file), 'Name a file, or - for standard input.', {
      cause: error,
      data: { path: file },
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no file FILE',
  ENOTDIR: 'there is no file FILE',
  EISDIR: 'FILE is a directory, and no message',
  EACCES: 'FILE may not be read',
  ELOOP: 'FILE is a symbolic link that leads to itself',
};
