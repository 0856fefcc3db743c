/** What may stand where `lxcv checkout` takes NEW, by git's habits and those of other commands, and is no container to make. */

import { LxcvError } from '../model/errors.js';
import { parseContainerName } from '../model/names.js';
import type { ContainerName } from '../model/version.js';
import { restoreAnswer } from './guesses.js';
import { type Line, meantByNew } from './operand-hints.js';

/** NEW. By git's habit `web HEAD~1` may be meant as `web@HEAD~1`, and what stands second elsewhere comes first. @throws LxcvError `bad-usage`, `bad-name`. */
export function parseNew(text: string, line: Line): ContainerName {
  if (!/[@~^]/.test(text)) return parseContainerName(text);
  throw new LxcvError('bad-usage', `${text} is a version, and NEW a container to make`, meantByNew(line));
}

/** git would get paths back; here a container of that name would be made. @param behind what stands behind a `--`. @throws LxcvError `bad-usage`. */
export function refusePaths([revision = 'NAME', ...others]: readonly string[], behind: readonly string[]): void {
  const inRevision = revision.includes(':') ? [revision] : [];
  const [path] = [...inRevision, ...others.filter((operand) => operand.includes('/')), ...behind];
  if (path === undefined) return;
  throw new LxcvError(
    'bad-usage',
    'lxcv checkout takes no paths: it makes or switches whole containers',
    restoreAnswer(revision.replace(/:.*$/s, ''), [path.replace(/^[^/]*:/, '')]),
    { data: { path } },
  );
}
