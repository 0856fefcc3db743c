/** Keeps the message of a commit that was refused, so that nobody has to write it again. */

import { tolerate } from '../host/files.js';
import type { ContainerName } from '../model/version.js';
import { messageFile, storeRoot } from '../store/layout.js';
import { createStore } from '../store/store.js';
import type { World } from './world.js';

/** Readable for root alone: it may tell of anything. @returns the file, which takes the place of an earlier one. */
export function keepMessage({ host, lxcpath }: World, container: ContainerName, message: string): string {
  const root = storeRoot(host.files, lxcpath);
  createStore(host, root);
  const path = messageFile(root, container);
  tolerate(['ENOENT'], () => host.files.unlink(path));
  host.files.create(path, `${message}\n`, 0o600);
  return path;
}
