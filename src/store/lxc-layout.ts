/** Where LXC's files of a container lie, and what lxcv puts beside them for the time of an operation. */

import type { ContainerName, VersionId } from '../model/version.js';

/** The files of a container: LXC's. */
export class ContainerLayout {
  readonly root: string;

  constructor(
    readonly lxcpath: string,
    readonly name: ContainerName,
  ) {
    this.root = `${lxcpath}/${name}`;
  }

  get config(): string {
    return `${this.root}/config`;
  }

  /** The next config until it is exchanged with the present one, and then that. */
  get stagedConfig(): string {
    return `${this.root}/.config.lxcv`;
  }

  /** Of an adoption: the config that follows that one, in the same way, once the delta is in its place. */
  get finalConfig(): string {
    return `${this.root}/.config.lxcv-final`;
  }

  /** All that a replacement of the config can have beside it. */
  get stagedConfigs(): string[] {
    return [this.stagedConfig, this.finalConfig].flatMap((path) => [path, editedConfig(path)]);
  }

  get clones(): string {
    return clonesIn(this.root);
  }
}

/** What carries an edit over that was made while a config was replaced. @param staged the file that took its place. */
export function editedConfig(staged: string): string {
  return `${staged}-edited`;
}

/** The clones that stand on the container of a directory: pairs of lines, lxcpath and name. */
export function clonesIn(directory: string): string {
  return `${directory}/lxc_snapshots`;
}

/** A container that a checkout makes, until it has its name. */
export function stagedContainer(lxcpath: string, id: VersionId): string {
  return `${lxcpath}/${STAGED}${id}`;
}

/** Of a name directly below the lxcpath. */
export function isStagedContainer(name: string): boolean {
  return name.startsWith(STAGED);
}

/** What is moved to and fro, beside a delta, to see that the delta can be. */
export function trialBeside(delta: string, id: VersionId): string {
  return `${delta.slice(0, delta.lastIndexOf('/'))}/.lxcv-trial-${id}`;
}

const STAGED = '.lxcv-';
