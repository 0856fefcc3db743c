/**
 * A container's config replaced under the eyes of others: LXC's tools and editors may write to it at any moment. It is
 * exchanged with the new one, so that what comes out is what was there in that instant; an edit of which lxcv did not know is
 * carried over to the new one.
 */

import { dirname } from 'node:path';
import { type Files, tolerate } from '../host/files.js';
import { formatLxcConfig, ownValue, parseLxcConfig, setValue } from '../model/lxc-config.js';
import { carryEdit } from '../model/lxc-config-merge.js';
import { editedConfig } from './lxc-layout.js';

const ROOTFS = 'lxc.rootfs.path';

/** Writes a file that is to take the place of a config, with the owner and mode of the one that is there. */
export function stageConfig(files: Files, config: string, staged: string, content: Buffer): void {
  const present = files.stat(config);
  if (files.stat(staged) !== undefined) files.unlink(staged);
  files.create(staged, content, 0o600);
  if (present !== undefined) files.chown(staged, present.uid, present.gid);
  files.chmod(staged, present?.mode ?? 0o640);
}

/**
 * Finishes an exchange of `config` and `staged`: looks at what came out of it, carries an edit over, and removes it. Can be run
 * again after a crash; an edit may then stand in the config twice, but never not at all.
 * @param base what lxcv thought that it replaced.
 */
export function mergeConcurrentEdit(files: Files, config: string, staged: string, base: Buffer): void {
  const spare = editedConfig(staged);
  let from = staged;
  let expected = base;
  for (;;) {
    const out = files.readIfPresent(from);
    const present = files.readIfPresent(config);
    if (out === undefined || present === undefined || out.equals(expected)) break;
    const carried = carryEdit(parseLxcConfig(expected), parseLxcConfig(out), parseLxcConfig(present));
    stageConfig(files, config, spare, formatLxcConfig(carried));
    exchangeDurably(files, spare, config);
    from = spare;
    expected = present;
  }
  for (const path of [staged, spare]) tolerate(['ENOENT'], () => files.unlink(path));
}

/**
 * Gives a config another `lxc.rootfs.path`, where it still has the one that lxcv gave it. Can be run again after a crash.
 * @param staged a path beside it, for the file that takes its place.
 */
export function changeRootfs(files: Files, config: string, staged: string, was: string, is: string): void {
  const present = files.readIfPresent(config);
  const value = present === undefined ? undefined : ownValue(parseLxcConfig(present), ROOTFS);
  if (present === undefined || (value !== was && value !== is)) {
    tolerate(['ENOENT'], () => files.unlink(staged));
  } else if (value === was) {
    stageConfig(files, config, staged, withRootfs(present, is));
    exchangeDurably(files, staged, config);
    mergeConcurrentEdit(files, config, staged, present);
  } else {
    mergeConcurrentEdit(files, config, staged, withRootfs(present, was));
  }
}

/**
 * A file system may make the exchange durable before what was written: after a power cut the config would be empty. And what
 * follows, which may take away what the former config names, must not be on the disk before the exchange.
 */
function exchangeDurably(files: Files, staged: string, config: string): void {
  files.sync(staged);
  files.exchange(staged, config);
  syncAbove(files, config);
}

/** Makes the name of a path durable. A container's directory may be a symbolic link, or gone with lxc-destroy. */
export function syncAbove(files: Files, path: string): void {
  tolerate(['ENOENT'], () => files.sync(`${dirname(path)}/.`));
}

function withRootfs(config: Buffer, path: string): Buffer {
  return formatLxcConfig(setValue(parseLxcConfig(config), ROOTFS, path));
}
