/** The error of a path that is not in a tree, with a guess of what was meant. */

import { unlessGone } from '../host/files.js';
import { findNear } from '../layer/near-path.js';
import { type BytePath, pathToText, ROOT, tellPath } from '../model/byte-path.js';
import { LxcvError } from '../model/errors.js';
import type { Context } from '../plumbing/context.js';
import type { Treeish } from '../plumbing/tree-ish.js';

/** What a shell takes as it is. */
const PLAIN = /^[\w./:@%+,=-]*$/;

/** @param what it should be. */
export function pathNotFound(
  { host }: Context,
  { name, layers }: Pick<Treeish, 'name' | 'layers'>,
  path: BytePath,
  what = '',
): LxcvError {
  const near = unlessGone(undefined, () => findNear(host.files, layers, path));
  const { directory = ROOT, blockedBy, meant } = near ?? {};
  const shows = (each: BytePath) => `lxcv show ${name}:/${PLAIN.test(each) ? each : ''}`;
  let hint = `See what is there: ${shows(directory)}`;
  if (blockedBy?.isLink) {
    const { path: link } = blockedBy;
    hint = `${tellPath(link)} is a symbolic link, and none is followed. Where it leads: ${shows(link)}`;
  } else if (blockedBy !== undefined && blockedBy.path !== path) {
    hint = `${tellPath(blockedBy.path)} is no directory. ${hint}`;
  }
  const message = `there is no ${what}${tellPath(path)} in ${name}`;
  if (meant === undefined) return new LxcvError('path-not-found', message, hint);
  const data = { suggestion: `/${pathToText(meant)}` };
  return new LxcvError('path-not-found', message, `Did you mean ${tellPath(meant)}? ${hint}`, { data });
}
