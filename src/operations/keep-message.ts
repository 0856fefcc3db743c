/** Keeps the message of a commit that was refused, so that nobody has to write it again, until one was made with it. */

import { resolve } from 'node:path';
import { isSystemError, tolerate } from '../host/files.js';
import type { ContainerName } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { messageFile, storeRoot } from '../store/layout.js';
import { createStore } from '../store/store.js';

/** Readable for root alone: it may say anything. @returns the file, which takes the place of an earlier one. */
export function keepMessage({ host, lxcpath }: Context, container: ContainerName, message: string): string {
  const root = storeRoot(host.files, lxcpath);
  createStore(host, root);
  const path = messageFile(root, container);
  tolerate(['ENOENT'], () => host.files.unlink(path));
  host.files.create(path, `${message}\n`, 0o600);
  return path;
}

/** Removes it once a commit was made of that very file. Where that cannot be done it stays: nothing hangs on it. */
export function dropMessage({ host, lxcpath }: Context, container: ContainerName, file: string): void {
  const path = messageFile(storeRoot(host.files, lxcpath), container);
  if (resolve(file) !== path) return;
  try {
    host.files.unlink(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}
