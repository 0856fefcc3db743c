/** How to make a copy of a container that lxcv can version, of one that it cannot: LXC makes it, where it does. */

import { dirname } from 'node:path';
import { effectiveValue } from '../model/lxc-config.js';
import { type Container, readInclude } from '../store/containers.js';
import type { Context } from './context.js';

/** LXC copies only a root file system whose path holds the name of the container. */
export function copyHint({ host }: Context, { name, config, rootfs, layout }: Container): string {
  const value = effectiveValue(config, 'lxc.rootfs.path', (path) => readInclude(host, path)) ?? '';
  const path = value.replace(/^[a-z]+:/, '');
  const copy = `lxc-copy -P ${layout.lxcpath} -n ${name} -N ${name}-copy -B dir`;
  if (path === '') return `Name a directory in lxc.rootfs.path of ${layout.config}.`;
  if (path.includes(name)) return `Copy it to a directory, and commit the copy: ${copy}`;
  if (rootfs.kind === 'directory') {
    const own = `${dirname(layout.config)}/rootfs`;
    return `Copy it to the container's own directory, and name that in lxc.rootfs.path of ${layout.config}: mkdir ${own} && cp -aT ${rootfs.path} ${own}`;
  }
  return `LXC copies only what has the name of the container in its path. Have lxc.rootfs.path of ${layout.config} lead there by such a path (by a symbolic link to the directory that it is in), and commit a copy: ${copy}`;
}
