/** The message of a commit: -m, -F, or the editor. */

import { edit, readText } from '../host/editor.js';
import { encodeArgument } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { requireText } from './text-argument.js';

export interface MessageFlags {
  readonly message?: string[] | undefined;
  readonly file?: string | undefined;
  readonly 'allow-empty-message'?: boolean;
}

/**
 * As in git, an empty one is none.
 * @param template what the editor begins with.
 * @throws LxcvError `bad-usage` where there is none and nobody to ask for one.
 */
export async function readMessage(flags: MessageFlags, template: () => Promise<string>): Promise<string> {
  const given =
    (flags.message && requireText(flags.message.join('\n\n'), 'the message')) ??
    (flags.file === undefined ? undefined : readMessageFile(flags.file));
  const mayBeEmpty = flags['allow-empty-message'] ?? false;
  if (given === undefined && !process.stdin.isTTY && !mayBeEmpty) {
    throw new LxcvError(
      'bad-usage',
      'there is no message',
      'Give one with -m TEXT or -F FILE; --allow-empty-message does without.',
    );
  }
  const message = given ?? (process.stdin.isTTY ? await edit(await template()) : '');
  if (message === undefined) throw new LxcvError('bad-usage', 'the editor failed: nothing was committed', EMPTY_HINT);
  if (message.trim() !== '' || mayBeEmpty) return message;
  throw new LxcvError('bad-usage', 'the message is empty: nothing was committed', EMPTY_HINT);
}

const EMPTY_HINT = 'Write one, or give -m TEXT; --allow-empty-message does without.';

/** What the editor shows below the place for the message. */
export function messageTemplate(container: ContainerName, summary: string): string {
  const comment = `Describe this version of ${container}. Lines that begin with # are left out; an empty text ends it.\n\n${summary}`;
  return `\n${comment.replace(/^/gm, '# ')}\n`;
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
