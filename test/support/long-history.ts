/** Long histories on disk, without trees. */

import { existsSync, writeFileSync } from 'node:fs';
import { digestManifest, encodeManifest } from '../../src/model/manifest.js';
import type { RepositoryName, Version } from '../../src/model/version.js';
import { RepositoryLayout } from '../../src/store/layout.js';
import type { DisposablePath } from './overlay.js';
import { directory, plant } from './plant.js';
import { exampleVersion } from './version.js';

/** A repository of so many versions in a row; those that are there already are left as they are. */
export function longHistory(
  place: DisposablePath,
  count: number,
  other: Partial<Version> = {},
): { layout: RepositoryLayout; versions: Version[] } {
  const layout = new RepositoryLayout(place.path, 'mysql' as RepositoryName);
  const versions: Version[] = [];
  let parents: Version['parents'] = [];
  for (let number = 0; number < count; number += 1) {
    const version = exampleVersion(number, { ...other, parents });
    const bytes = encodeManifest(version);
    versions.push(version);
    parents = [{ id: version.id, digest: digestManifest(bytes) }];
    const { root, manifest } = layout.version(version.id);
    if (existsSync(manifest)) continue;
    plant(root, { delta: directory });
    writeFileSync(manifest, bytes);
  }
  return { layout, versions };
}
