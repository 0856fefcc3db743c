/** Names that lxcv takes: what they may hold, and one clear refusal for what they may not. */

import { LxcvError } from './errors.js';
import type { BranchName, ContainerName, RepositoryName, TagName, VersionId } from './version.js';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
/** A path's last part may be 255 bytes long; lxcv itself adds none to a name. */
const NAME_MAX = 255;
/** LXC locks a container by a file of its name with a dot before it. */
const CONTAINER_NAME_MAX = NAME_MAX - 1;
/** Linux's, for `lxc.uts.name`: LXC does not read a config with a longer one. */
const HOST_NAME_MAX = 64;
const ID = /^[a-z][a-z0-9]{11}$/;

/** @throws LxcvError `bad-name` where LXC, a revision or a mount option could not carry the name. */
export function parseContainerName(text: string): ContainerName {
  return parseName('container', text, CONTAINER_NAME_MAX) as ContainerName;
}

/** @throws LxcvError `bad-name` where LXC could not start a container that has its own name as its host name. */
export function checkHostName(name: ContainerName): void {
  if (name.length > HOST_NAME_MAX) throw nameTooLong('new container', name, HOST_NAME_MAX);
}

/** @throws LxcvError `bad-name`, also for a name that a revision would read as a number or as one of its own words. */
export function parseBranchName(text: string): BranchName {
  return parseRefName('branch', text) as BranchName;
}

/** @throws LxcvError `bad-name`, as for a branch. */
export function parseTagName(text: string): TagName {
  return parseRefName('tag', text) as TagName;
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

/** True for what a revision has a meaning of its own for: no branch and no tag is called so. */
export function isRevisionWord(text: string): boolean {
  return /^\d+$/.test(text) || REVISION_WORDS.includes(text);
}

const REVISION_WORDS = ['HEAD', 'WORK', 'BASE'];

/** As git's check-ref-format, as far as the letters of a name allow it at all. */
const NO_REF = /\.\.|\.lock$|\.$/;
const REF_HINT = 'As in git, it holds no "..", and ends with neither ".lock" nor ".".';

function parseRefName(what: string, text: string): string {
  const name = parseName(what, text, NAME_MAX);
  if (NO_REF.test(name)) throw new LxcvError('bad-name', `${name} cannot name a ${what}`, REF_HINT);
  if (isVersionId(name)) {
    throw new LxcvError('bad-name', `${name} cannot name a ${what}: it looks like the id of a version`, ID_HINT);
  }
  if (!isRevisionWord(name)) return name;
  throw new LxcvError('bad-name', `${name} cannot name a ${what}: a revision has another meaning for it`, WORD_HINT);
}

const WORD_HINT = 'Choose another name: numbers, HEAD, WORK and BASE name something by themselves.';
const ID_HINT = 'An id is 12 small letters and digits. Choose a shorter or longer name, or one with "-".';

function parseName(what: string, text: string, longest: number): string {
  if (!NAME.test(text)) throw new LxcvError('bad-name', `${JSON.stringify(text)} is no name for a ${what}`, NAME_HINT);
  if (text.length > longest) throw nameTooLong(what, text, longest);
  return text;
}

function nameTooLong(what: string, name: string, longest: number): LxcvError {
  return new LxcvError('bad-name', `a ${what}'s name of ${name.length} characters is too long`, `At most ${longest}.`);
}
