/** The message of a commit: -m, -F, or the editor. */

import { edit, readText } from '../host/editor.js';
import { encodeArgument } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import type { ContainerName } from '../model/version.js';
import { requireText } from './text-argument.js';

export interface MessageFlags {
  readonly message?: string[] | undefined;
  readonly file?: string | undefined;
}

/**
 * @param template what the editor begins with.
 * @throws LxcvError `bad-usage` where there is none and nobody to ask for one.
 */
export async function readMessage(flags: MessageFlags, template: () => Promise<string>): Promise<string> {
  if (flags.message !== undefined) return requireText(flags.message.join('\n\n'), 'the message');
  if (flags.file !== undefined) return readMessageFile(flags.file);
  if (!process.stdin.isTTY) {
    throw new LxcvError('bad-usage', 'there is no message', 'Give one with -m TEXT or -F FILE; -m "" for none.');
  }
  const message = await edit(await template());
  if (message) return message;
  throw new LxcvError('bad-usage', 'the message is empty: nothing was committed', 'Write one, or give -m "" for none.');
}

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
    throw new LxcvError(
      'bad-usage',
      `cannot read the message from ${file}: ${(error as Error).message}`,
      'Name a file, or - for standard input.',
      {
        cause: error,
      },
    );
  }
}
