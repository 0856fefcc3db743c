/** Keeps a stopped container stopped while lxcv works on it. */

import { LxcvError } from '../model/errors.js';
import type { Container } from '../store/containers.js';
import type { World } from './world.js';

/**
 * Holds a container that is stopped, so that LXC cannot start it until disposal; undefined where it runs.
 * @throws LxcvError `container-in-use` where it is stopped, but its root file system is mounted by something else.
 */
export function holdStopped(world: World, { name, rootfs, layout }: Container): Disposable | undefined {
  const hold = world.host.lxc.holdStopped(world.lxcpath, name);
  if (hold === undefined) return undefined;
  if (rootfs.kind === 'overlay' && world.host.mounts.uppersInUse().has(rootfs.upper)) {
    hold[Symbol.dispose]();
    throw new LxcvError(
      'container-in-use',
      `${name} is stopped, but something has its root file system mounted: ${rootfs.upper}`,
      `Unmount it, or wait for what uses it (lxc-copy, say), and try again. Its config is ${layout.config}.`,
    );
  }
  return hold;
}
