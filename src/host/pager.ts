/** Output that is longer than the screen, shown a screen at a time. */

import { spawn } from 'node:child_process';

/** How less(1) is to be, unless the user says otherwise: colours as they come, no waiting where all fits, no clearing. */
const LESS = 'FRX';

/**
 * Shows a text in the pager that the user chose, and waits until that is left.
 * @returns false where there is none, or it could not be started: the text is still to be printed.
 */
export async function showInPager(text: string): Promise<boolean> {
  const { LXCV_PAGER, GIT_PAGER, PAGER } = process.env;
  const pager = (LXCV_PAGER ?? GIT_PAGER ?? PAGER ?? `less -${LESS}`).trim();
  if (pager === '' || pager === 'cat') return false;
  const ignore = () => {};
  // The keyboard's signals are the pager's: it decides whether they end it.
  process.on('SIGINT', ignore);
  try {
    return await new Promise((resolve) => {
      const child = spawn('sh', ['-c', pager], {
        stdio: ['pipe', 'inherit', 'inherit'],
        env: { LESS, ...process.env },
      });
      // A pager that was left early reads no further.
      child.stdin.on('error', ignore);
      child.on('error', () => resolve(false));
      child.on('close', (code) => resolve(code !== NOT_EXECUTABLE && code !== NOT_FOUND));
      child.stdin.end(text);
    });
  } finally {
    process.off('SIGINT', ignore);
  }
}

/** What sh(1) ends with where there is no such program. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
