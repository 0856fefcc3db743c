/** What differs between two configs of a container, as a person cares: not where its root file system lies. */

import { type LxcConfig, settingsOf } from './lxc-config.js';

export interface ConfigChanges {
  /** `key = value`, in the order of the file. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** What lxcv itself sets with each version. */
const OWN_KEYS = ['lxc.rootfs.path', 'lxc.rootfs.options'];

/** The settings that only one of them has. A setting that stands there twice counts twice; comments do not count. */
export function diffConfigs(before: LxcConfig, after: LxcConfig): ConfigChanges {
  const was = linesOf(before);
  const is = linesOf(after);
  return { removed: without(was, is), added: without(is, was) };
}

function linesOf(config: LxcConfig): string[] {
  return settingsOf(config).flatMap(({ key, value }) => (OWN_KEYS.includes(key) ? [] : [`${key} = ${value}`]));
}

function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
