/** Names that lxcv takes: what they may hold, and one clear refusal for what they may not. */

import { LxcvError } from './errors.js';
import type { BranchName, ContainerName, RepositoryName, VersionId } from './version.js';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
/** A path's last part may be 255 bytes long; lxcv itself adds none to a name. */
const NAME_MAX = 255;
const ID = /^[a-z][a-z0-9]{11}$/;

/** @throws LxcvError `bad-name` where LXC, a revision or a mount option could not carry the name. */
export function parseContainerName(text: string): ContainerName {
  return parseName('container', text) as ContainerName;
}

/** @throws LxcvError `bad-name`, also for a name that a revision would read as a number or as HEAD. */
export function parseBranchName(text: string): BranchName {
  const name = parseName('branch', text);
  if (/^\d+$/.test(name) || name === 'HEAD') {
    throw new LxcvError('bad-name', `${name} cannot name a branch: a revision has another meaning for it`, NAME_HINT);
  }
  return name as BranchName;
}

/** True for what could be a repository's name. */
export function isRepositoryName(text: string): text is RepositoryName {
  return NAME.test(text) && text.length <= NAME_MAX;
}

/** True for a whole version id. */
export function isVersionId(text: string): text is VersionId {
  return ID.test(text);
}

const NAME_HINT = 'A name is letters, digits, "_", "-" and ".", and begins with none of the last two.';

function parseName(what: string, text: string): string {
  if (!NAME.test(text)) throw new LxcvError('bad-name', `${JSON.stringify(text)} is no name for a ${what}`, NAME_HINT);
  if (text.length > NAME_MAX) {
    throw new LxcvError(
      'bad-name',
      `a ${what}'s name of ${text.length} characters is too long`,
      `At most ${NAME_MAX}.`,
    );
  }
  return text;
}
