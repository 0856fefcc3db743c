/** The package that this program is of. */

import { readFileSync } from 'node:fs';

export interface Package {
  readonly name: string;
  readonly version: string;
}

/** What the nearest package.json above a module says. @param module its URL. */
export function readPackage(module: string): Package {
  for (let directory = new URL('.', module); directory.pathname !== '/'; directory = new URL('..', directory)) {
    try {
      return JSON.parse(readFileSync(new URL('package.json', directory), 'utf8')) as Package;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`no package.json above ${module}`);
}
