/** A store of very many repositories and containers, written straight to disk. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { files } from '../../src/host/files.js';
import { machine } from '../../src/host/host.js';
import { createDelta } from '../../src/layer/delta.js';
import { formatRootfsPath, pinOptions } from '../../src/layer/overlayfs.js';
import { digestManifest, encodeManifest } from '../../src/model/manifest.js';
import type { BranchName, ContainerName, Layer, RepositoryName, Version, VersionId } from '../../src/model/version.js';
import { lowersOf } from '../../src/store/containers.js';
import { RepositoryLayout, storeFile, storeRoot } from '../../src/store/layout.js';
import { encodeWorking } from '../../src/store/working.js';

const VERSIONS = 3;
/** Every such container has written something. */
const DIRTY_EACH = 3;

/**
 * Repositories `r0`, `r1`, ... of three versions each, and containers `c0`, `c1`, ... spread over them, on branches of their own.
 * They stand on no base, and are never started.
 */
export function populate(lxcpath: string, repositories: number, containers: number): void {
  const root = storeRoot(machine.files, lxcpath);
  for (const path of [lxcpath, root]) mkdirSync(path, { recursive: true, mode: 0o700 });
  writeFileSync(storeFile(root), '{"format":1,"id":"populousstor"}\n', { mode: 0o600 });
  const heads = Array.from({ length: repositories }, (_, index) => makeRepository(root, `r${index}` as RepositoryName));
  for (let index = 0; index < containers; index += 1) {
    makeContainer(lxcpath, `c${index}` as ContainerName, heads[index % repositories] as Head, index);
  }
}

interface Head {
  readonly layout: RepositoryLayout;
  readonly version: Version;
}

function makeRepository(root: string, name: RepositoryName): Head {
  const layout = new RepositoryLayout(root, name);
  for (const path of [layout.versions, layout.branches, layout.tags, layout.guards, layout.empty]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  let head: Head | undefined;
  let parents: Version['parents'] = [];
  for (let number = 0; number < VERSIONS; number += 1) {
    const id = idOf('v', number);
    const place = layout.version(id);
    const version: Version = {
      ...{ id, number, repository: name, parents, message: `version ${number}` },
      author: { name: 'Ada', email: 'ada@example.org' },
      time: '2026-01-02T03:04:05.678Z',
      container: 'c' as ContainerName,
      branch: 'main' as BranchName,
      chain: Array.from({ length: number + 1 }, (_, below) => `versions/${idOf('v', number - below)}/delta` as Layer),
      bases: [],
      changes: { added: 1, modified: 0, removed: 0, bytes: 1 },
    };
    mkdirSync(place.delta, { recursive: true });
    writeFileSync(join(place.delta, `file${number}`), '.');
    const manifest = encodeManifest(version);
    writeFileSync(place.manifest, manifest, { mode: 0o400 });
    writeFileSync(place.config, 'lxc.uts.name = c\n', { mode: 0o600 });
    writeFileSync(place.work, '', { mode: 0o400 });
    parents = [{ id, digest: digestManifest(manifest) }];
    head = { layout, version };
  }
  writeFileSync(layout.branch('main' as BranchName), `${head?.version.id}\n`, { mode: 0o600 });
  return head as Head;
}

function makeContainer(lxcpath: string, name: ContainerName, { layout, version }: Head, index: number): void {
  const place = layout.version(idOf('w', index));
  const working = { container: name, branch: null, parents: [version.id], lowers: [...version.chain], bases: [] };
  mkdirSync(place.work, { recursive: true, mode: 0o700 });
  createDelta(files, place.delta, layout.version(version.id).delta);
  if (index % DIRTY_EACH === 0) writeFileSync(join(place.delta, 'new'), '');
  writeFileSync(place.working, encodeWorking(working), { mode: 0o600 });
  mkdirSync(layout.guard(name), { mode: 0o700 });
  mkdirSync(join(lxcpath, name), { mode: 0o770 });
  const config = [
    'lxc.include = /usr/share/lxc/config/common.conf',
    `lxc.uts.name = ${name}`,
    'lxc.net.0.type = empty',
    `# lxcv: ${name} is versioned in ${layout.root}`,
    `lxc.rootfs.path = ${formatRootfsPath(lowersOf(layout, name, working), place.delta)}`,
    `lxc.rootfs.options = ${pinOptions(undefined)}`,
    '',
  ];
  writeFileSync(join(lxcpath, name, 'config'), config.join('\n'), { mode: 0o640 });
}

function idOf(kind: 'v' | 'w', number: number): VersionId {
  return `${kind}${`${number}`.padStart(11, '0')}` as VersionId;
}
