/** Notices a container that stands on a store of another lxcpath: one that was copied or moved, or is named by another path. */

import { LxcvError } from '../model/errors.js';
import type { Container } from '../store/containers.js';
import { parseUpper, storeRoot } from '../store/layout.js';
import type { Context } from './context.js';
import { directoryId } from './directory-chain.js';

/** An upper directory as a store has it: the store, and the rest. */
const UPPER = /^(?<root>\/.*?)(?<rest>\/[^/]+\/versions\/[^/]+\/delta)$/s;

/**
 * Looks at a container that is on no working delta of this store.
 * @throws LxcvError `root-shared` where its config names one of another.
 */
export function checkOtherStore(
  { host: { files }, lxcpath }: Context,
  { name, rootfs, layout }: Pick<Container, 'name' | 'rootfs' | 'layout'>,
): void {
  if (rootfs.kind !== 'overlay') return;
  const { root, rest } = UPPER.exec(rootfs.upper)?.groups ?? {};
  if (root === undefined || parseUpper(root, rootfs.upper) === undefined) return;
  const own = storeRoot(files, lxcpath);
  throw new LxcvError(
    'root-shared',
    `${layout.config} stands on ${rootfs.upper}, in the store ${root}, and the store of ${lxcpath} is ${own}`,
    wayOn(),
  );

  function wayOn(): string {
    const rightful = root?.replace(/v$/, '') ?? '';
    const place = directoryId(files, `${rightful}/${name}`);
    // The store of what only leads to this lxcpath is the same.
    if (place !== undefined && place === directoryId(files, layout.root) && storeRoot(files, rightful) === root)
      return `Name the lxcpath as that store does: -P ${rightful}`;
    if (files.stat(`${own}${rest}`) === undefined)
      return `Where the lxcpath was moved, move the store too: mv ${root}${files.stat(own) === undefined ? ` ${own}` : `/${rest?.split('/')[1]} ${own}/`}`;
    return `Where both were copied or moved, name the store beside them: sed -i 's|${root}/|${own}/|g' ${lxcpath}/*/config`;
  }
}
