/** The JSON that commands print: names that scripts build on. See docs/commands.md. */

import { isUtf8 as isUtf8Bytes } from 'node:buffer';
import { type BytePath, encodePath, isUtf8, pathToText, ROOT } from '../model/byte-path.js';
import type { Attributes, ChangeRecord } from '../model/changes.js';
import type { PathInfo } from '../model/entry.js';
import type { PackageFold } from '../model/packages.js';
import { pathOf } from '../model/place.js';
import type { CheckoutOutcome, Match, NamedTag, Unsearched } from '../model/results.js';
import { formatInstant } from '../model/timestamp.js';
import type { Summary } from '../model/version.js';

/** @param refs the names of the branches and tags that name the version. */
export function versionToJson(version: Summary, refs: readonly string[]) {
  const { id, number, parents, message, author, time, branch, changes, pause } = version;
  return {
    id,
    number,
    parents: parents.map((parent) => parent.id),
    message,
    author,
    time,
    branch,
    refs,
    changes,
    pause,
  };
}

/** `saved` and `setAside` are there where something was not committed. */
export function checkoutToJson({ container, version, refs, branch, saved, setAside }: CheckoutOutcome) {
  return {
    container,
    version: versionToJson(version, refs),
    branch,
    saved: saved && versionToJson(saved, [saved.branch]),
    setAside,
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
export function changeToJson(change: Omit<ChangeRecord, 'place' | 'size' | 'sizeBefore'>) {
  const { path, kind, type, typeBefore, movedFrom, movedTo, before, after } = change;
  return {
    ...pathToJson(path),
    kind,
    type,
    typeBefore,
    ...(movedFrom && pathToJson(pathOf(movedFrom), 'movedFrom')),
    ...(movedTo && pathToJson(pathOf(movedTo), 'movedTo')),
    before: before && attributesToJson(before),
    after: after && attributesToJson(after),
  };
}

/**
 * `from` is null where the package was installed, `to` where it was removed; `paths` are those of its changes, and `pathsBytes` the
 * bytes of them all, in their order, where one is not UTF-8.
 */
export function packageToJson({ paths, ...change }: PackageFold) {
  const texts = paths.map((path) => pathToJson(path).path);
  if (paths.every(isUtf8)) return { ...change, paths: texts };
  return { ...change, paths: texts, pathsBytes: paths.map((path) => encodePath(path).toString('base64')) };
}

/** A line of a text under `text`; one that is not UTF-8 loses bytes in it, and has all of them in `textBytes`. */
export function textToJson(text: Buffer) {
  return { text: text.toString('utf8'), textBytes: isUtf8Bytes(text) ? undefined : text.toString('base64') };
}

/** Makes matches into JSON: there may be a million of one file, whose path is made into text once. */
export function matchesToJson(): (matches: readonly Match[]) => readonly object[] {
  let last: { readonly path: BytePath; readonly json: NameJson<'path'> } | undefined;
  return (matches) =>
    matches.map(({ revision, path, line, text }) => {
      if (last?.path !== path) last = { path, json: pathToJson(path) };
      return { revision, ...last.json, line, ...textToJson(text) };
    });
}

export function unsearchedToJson({ revision, path, reason }: Unsearched) {
  return { revision, ...pathToJson(path), reason };
}

/** The same of a patch. */
export function patchToJson(patch: Buffer) {
  return { patch: patch.toString('utf8'), patchBytes: isUtf8Bytes(patch) ? undefined : patch.toString('base64') };
}

/** Values are base64. Where a name is not UTF-8, two may look the same in `xattrs`, and `xattrsBytes` has all names in base64 too. */
function attributesToJson({ mode, uid, gid, mtimeNs, xattrs }: Attributes) {
  const named = [...xattrs].map(([name, value]) => ({ name: name as BytePath, value: value.toString('base64') }));
  const inBytes = named.map(({ name, value }) => ({ name: encodePath(name).toString('base64'), value }));
  return {
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    mtime: formatInstant(mtimeNs),
    xattrs: Object.fromEntries(named.map(({ name, value }) => [pathToText(name), value])),
    xattrsBytes: named.every(({ name }) => isUtf8(name)) ? undefined : inBytes,
  };
}

type NameJson<Key extends string> = Record<Key, string> & { readonly [bytes in `${Key}Bytes`]?: string };

/**
 * A path as text, under `key`, the root as `/`; one that is not UTF-8 loses bytes in it, and has all of them under `keyBytes`, in
 * base64.
 */
export function pathToJson<Key extends string = 'path'>(path: BytePath, key = 'path' as Key): NameJson<Key> {
  const text = { [key]: path === ROOT ? '/' : pathToText(path) } as NameJson<Key>;
  return isUtf8(path) ? text : { ...text, [`${key}Bytes`]: encodePath(path).toString('base64') };
}

/** `mode` in four octal digits, `mtime` in ISO 8601 to the nanosecond; `target` is of a link, `device` of a device node. */
export function pathInfoToJson({ type, mode, uid, gid, size, mtimeNs, target, device }: PathInfo) {
  const octal = mode.toString(8).padStart(4, '0');
  return {
    type,
    mode: octal,
    uid,
    gid,
    size,
    mtime: formatInstant(mtimeNs),
    ...(target !== undefined && pathToJson(target as BytePath, 'target')),
    device,
  };
}
