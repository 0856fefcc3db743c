/** Directories for what is needed only for a while. */

import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A directory of its user's alone; it goes with all that is in it when it is disposed of. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(temporaryPlace(), 'lxcv-'));
  chmodSync(path, 0o700);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const ANY_SEARCH = 0o001;

/** Where temporary directories can be reached by a program that is nobody: a user's own TMPDIR may be closed to others. */
export function temporaryPlace(): string {
  return [tmpdir(), '/tmp', '/var/tmp'].find(isOpenToAll) ?? tmpdir();
}

function isOpenToAll(directory: string): boolean {
  for (let path = directory; ; path = dirname(path)) {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & ANY_SEARCH) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
