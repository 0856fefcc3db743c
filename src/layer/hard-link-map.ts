/** Of each inode with several names that is copied: one link to its copy, in a directory apart, for the names yet to come. */

import { type Files, isErrno } from '../host/files.js';
import type { HostPath } from '../host/libc.js';
import { LxcvError } from '../model/errors.js';
import type { Job } from '../model/job.js';
import { removeTree } from './removal.js';

export class HardLinkMap<Note> {
  private readonly copies = new Map<bigint, Note>();
  private readonly exhausted = new Set<bigint>();

  /** @param path of the directory, which is not there yet. */
  constructor(
    private readonly files: Files,
    private readonly path: string,
  ) {}

  create(): void {
    this.files.mkdir(this.path, 0o700);
  }

  remove(): Job<void> {
    return removeTree(this.files, this.path);
  }

  /** What was registered with the copy of an inode; undefined where there is no copy. */
  note(inode: bigint): Note | undefined {
    return this.copies.get(inode);
  }

  /** Registers a copy of an inode, in place of an older one. */
  register(inode: bigint, copy: HostPath, note: Note): void {
    if (this.copies.has(inode)) this.files.unlink(this.linkOf(inode));
    this.copies.delete(inode);
    this.files.link(copy, this.linkOf(inode));
    this.copies.set(inode, note);
  }

  /** Gives the copy of an inode one more name. @throws EMLINK. */
  link(inode: bigint, to: HostPath): void {
    this.files.link(this.linkOf(inode), to);
  }

  /**
   * Gives the copy of an inode one more name: where it can have no more, the link in the directory apart becomes that name. An inode
   * of the source has no more names than its copy can have, so that is the last one, unless the copy still has names that the source
   * has no more.
   */
  linkOrMove(inode: bigint, to: HostPath): void {
    try {
      this.link(inode, to);
    } catch (error) {
      if (!isErrno(error, 'EMLINK')) throw error;
      this.files.rename(this.linkOf(inode), to);
      this.copies.delete(inode);
      this.exhausted.add(inode);
    }
  }

  /** @throws LxcvError `container-in-use` where an inode has a name left when its copy can have no more. */
  checkNotExhausted(inode: bigint): void {
    if (!this.exhausted.has(inode)) return;
    throw new LxcvError(
      'container-in-use',
      'directories were renamed that hold ten thousands of names of one file, while these were copied',
      'Nothing was done. Try again.',
    );
  }

  private linkOf(inode: bigint): string {
    return `${this.path}/${inode}`;
  }
}
