/** A commit's message, as its author hands it over: by an editor or by a file. */

import { isUtf8 } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LxcvError } from '../model/errors.js';

/**
 * Lets the user write a text in the editor that git would take, and returns what was saved without the lines that begin
 * with `#`; undefined where the editor failed.
 */
export async function edit(template: string): Promise<string | undefined> {
  const { GIT_EDITOR, VISUAL, EDITOR } = process.env;
  const editor = GIT_EDITOR || VISUAL || EDITOR || 'vi';
  const directory = mkdtempSync(join(tmpdir(), 'lxcv-'));
  try {
    const file = join(directory, 'COMMIT_MESSAGE');
    writeFileSync(file, template);
    const { execa } = await import('execa');
    const { exitCode } = await execa('sh', ['-c', `${editor} "$1"`, editor, file], { reject: false, stdio: 'inherit' });
    return exitCode === 0 ? withoutComments(readText(Buffer.from(file).toString('latin1'))) : undefined;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * The text of a file, or of standard input for `-`. Throws Node's errors.
 * @param file its bytes, a character each.
 * @throws LxcvError `bad-usage` where it is not UTF-8: what else it is nobody knows.
 */
export function readText(file: string): string {
  const bytes = readFileSync(file === '-' ? 0 : Buffer.from(file, 'latin1'));
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new LxcvError(
    'bad-usage',
    'the message is not UTF-8',
    'Convert it: iconv -f latin1 -t utf8 FILE | lxcv commit -F - NAME',
  );
}

function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .trim();
}
