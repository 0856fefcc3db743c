/** A commit's message, as its author hands it over: by an editor or by a file. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
    return exitCode === 0 ? withoutComments(readFileSync(file, 'utf8')) : undefined;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The text of a file, or of standard input for `-`. Throws Node's errors. */
export function readText(file: string): string {
  return readFileSync(file === '-' ? 0 : file, 'utf8');
}

function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .trim();
}
