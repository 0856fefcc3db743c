/** A commit that was refused for a pause that would have been too long: the line that allows a longer one keeps all that was typed. */

import { LxcvError } from '../model/errors.js';
import type { CommandShape } from './command-shape.js';
import { takeApart } from './typed.js';
import { kindOf } from './usage.js';

/** Any other error as it is. @param command that of `argv`: commit. */
export function explainLongPause(error: unknown, argv: readonly string[], command: CommandShape): unknown {
  if (!(error instanceof LxcvError) || error.code !== 'pause-too-long') return error;
  const ownKind = (flag: string) => (flag === '--max-pause' ? 'foreign-value' : kindOf(flag, command));
  const { lineWith } = takeApart('commit', argv, ownKind);
  const line = (_: string, seconds: string) => lineWith('--max-pause', seconds);
  const { code, message, data } = error;
  const hint = error.hint.replace(/lxcv commit --max-pause (\d+) \w[\w.-]*(?=;)/, line);
  return new LxcvError(code, message, hint, { cause: error, data });
}
