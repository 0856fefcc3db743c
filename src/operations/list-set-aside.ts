/** What containers held that could not become a version: it lies in the store, and nothing stands on it. */

import { LxcvError } from '../model/errors.js';
import type { ListedAside } from '../model/results.js';
import type { RepositoryName } from '../model/version.js';
import type { Context } from '../plumbing/context.js';
import { RepositoryLayout, storeRoot } from '../store/layout.js';
import { listAsides, readSetAside } from '../store/set-aside.js';

/** Of some repositories. A record that cannot be read is left out: fsck reports it. */
export function listSetAside({ host, lxcpath }: Context, repositories: readonly RepositoryName[]): ListedAside[] {
  const root = storeRoot(host.files, lxcpath);
  return repositories.flatMap((name) => {
    const layout = new RepositoryLayout(root, name);
    return listAsides(host.files, layout).flatMap((id) => {
      try {
        return [{ ...readSetAside(host.files, layout.aside(id)), path: layout.version(id).delta }];
      } catch (error) {
        if (error instanceof LxcvError) return [];
        throw error;
      }
    });
  });
}
