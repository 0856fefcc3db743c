/** The JSON that commands print: names that scripts build on. See docs/commands.md. */

import { type BytePath, encodePath, isUtf8, pathToText } from '../model/byte-path.js';
import type { Version } from '../model/version.js';
import type { Attributes, ToldChange } from '../operations/diff.js';
import type { NamedTag } from '../operations/tag.js';
import { formatNanoseconds } from '../render/time.js';

/** @param refs the names of the branches and tags that name the version. */
export function versionToJson(version: Version, refs: readonly string[] = []) {
  const { id, number, parents, message, author, time, branch, changes, pause } = version;
  return {
    ...{ id, number, parents: parents.map((parent) => parent.id), message, author, time, branch, refs, changes },
    ...(pause === undefined ? {} : { pause }),
  };
}

/** `message`, `author` and `time` are those of an annotated tag, and null of any other. */
export function tagToJson({ name, version, refs, annotation }: NamedTag) {
  const { message = null, author = null, time = null } = annotation ?? {};
  return { name, version: versionToJson(version, refs), message, author, time };
}

/**
 * `path` is text; a name that is not UTF-8 loses bytes in it, and has all of them in `pathBytes`, in base64. `movedFrom` and
 * `movedTo` are of files that were only moved; `before` and `after` are there where attributes were asked for.
 */
export function changeToJson(change: Omit<ToldChange, 'size' | 'sizeBefore'>) {
  const { path, kind, type, movedFrom, movedTo, before, after } = change;
  return {
    ...{ path: pathToText(path), kind, type },
    ...(isUtf8(path) ? {} : { pathBytes: encodePath(path).toString('base64') }),
    ...(movedFrom === undefined ? {} : { movedFrom: pathToText(movedFrom) }),
    ...(movedTo === undefined ? {} : { movedTo: pathToText(movedTo) }),
    ...(before === undefined ? {} : { before: attributesToJson(before) }),
    ...(after === undefined ? {} : { after: attributesToJson(after) }),
  };
}

/** Names of extended attributes are text as paths are; values are base64. */
function attributesToJson({ mode, uid, gid, mtimeNs, xattrs }: Attributes) {
  return {
    mode: mode.toString(8).padStart(4, '0'),
    ...{ uid, gid, mtime: formatNanoseconds(mtimeNs) },
    xattrs: Object.fromEntries(
      [...xattrs].map(([name, value]) => [pathToText(name as BytePath), value.toString('base64')]),
    ),
  };
}
