/**
 * Paths as git can be given them. From 2.48 on git refuses a name like `.git` in a path, whatever the path is for; a container's
 * /etc may well be kept in a repository. So such names get a mark before them, and lose it in what git prints.
 * Law: `unmarkPath(markPath(p))` equals `p`.
 */

import type { BytePath } from './byte-path.js';

const MARK = 'lxcv~';
/** More than git refuses on any system: `.git` and what starts like it, the short name of that on Windows; and the mark itself. */
const REFUSED = ['.git', 'git~', MARK];

export function markPath(path: BytePath): BytePath {
  return path
    .split('/')
    .map((name) => (isRefused(name) ? `${MARK}${name}` : name))
    .join('/') as BytePath;
}

export function unmarkPath(path: BytePath): BytePath {
  return path
    .split('/')
    .map((name) => (name.startsWith(MARK) ? name.slice(MARK.length) : name))
    .join('/') as BytePath;
}

function isRefused(name: string): boolean {
  const start = name.slice(0, MARK.length).toLowerCase();
  return REFUSED.some((refused) => start.startsWith(refused));
}

/** The lines of a patch, without their line feeds and a character a byte, with the paths in its headers as they were. */
export function* unmarkPatch(lines: Iterable<string>): Generator<string> {
  const left = { before: 0, after: 0 };
  for (const line of lines) {
    if (left.before > 0 || left.after > 0) {
      yield line;
      if (line[0] !== '+' && line[0] !== '\\') left.before -= 1;
      if (line[0] !== '-' && line[0] !== '\\') left.after -= 1;
      continue;
    }
    const hunk = HUNK.exec(line);
    left.before = hunk === null ? 0 : Number(hunk[1] ?? 1);
    left.after = hunk === null ? 0 : Number(hunk[2] ?? 1);
    yield hunk === null ? unmarkHeader(line) : line;
  }
}

const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;
/** What stands before a path that has no `a/` or `b/` before it. */
const WHOLE_PATHS = ['rename from ', 'rename to ', 'copy from ', 'copy to '];

/** A slash stands before each name of a path, but for the first one of some. */
function unmarkHeader(line: string): string {
  const names = line.replaceAll(`/${MARK}`, '/');
  for (const start of WHOLE_PATHS.flatMap((words) => [words, `${words}"`])) {
    if (names.startsWith(`${start}${MARK}`)) return start + names.slice(start.length + MARK.length);
  }
  return names;
}
