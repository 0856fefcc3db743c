/** What makes one tree another, by a full comparison that shares nothing with the product. */

import type { Tree } from './tree.js';

/** What makes one tree the other, as status and diff should tell it: the times of directories follow from what happens in them. */
export function changesBetween(before: Tree, after: Tree): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((path) => {
    const kind = kindOfChange(before.get(path), after.get(path));
    const type = (after.get(path) ?? before.get(path))?.type;
    return kind === undefined ? [] : [`${kind} ${type} ${JSON.stringify(path)}`];
  });
}

type Node = NonNullable<ReturnType<Tree['get']>>;

function kindOfChange(was: Node | undefined, is: Node | undefined): string | undefined {
  if (was === undefined || is === undefined) return was === undefined ? 'added' : 'removed';
  const content = ({ type, size, sha256, target, device }: Node) => `${[type, size, sha256, target, device]}`;
  if (content(was) !== content(is)) return 'modified';
  const metadata = ({ type, mode, uid, gid, mtimeNs, xattrs }: Node) =>
    `${[mode, uid, gid, type === 'directory' ? '' : mtimeNs]} ${JSON.stringify([...xattrs])}`;
  return metadata(was) === metadata(is) ? undefined : 'metadata';
}
