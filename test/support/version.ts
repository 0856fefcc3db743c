/** Versions for tests that do not care what they say. */

import type { Uncounted } from '../../src/model/manifest.js';
import type { Version, VersionId } from '../../src/model/version.js';

/** A version with this number, whose id tells the number; what is given besides replaces what it has. */
export function exampleVersion(number: number, other: Partial<Version> = {}): Version {
  const id = exampleId(number);
  return {
    id,
    number,
    repository: 'mysql',
    parents: [],
    message: `version ${number}`,
    author: { name: 'Ada', email: 'ada@example.org' },
    time: '2026-01-02T03:04:05.678Z',
    container: 'mysql',
    branch: 'main',
    chain: [`versions/${id}/delta`],
    bases: [{ path: '/var/lib/lxc/base/rootfs', fingerprint: 'sha256:00' }],
    changes: { added: 1, modified: 0, removed: 0, bytes: 0 },
    ...other,
  } as Version;
}

/** The same before its changes were counted. */
export function exampleDraft(number: number): Uncounted {
  const { changes, ...draft } = exampleVersion(number);
  return draft;
}

/** `vaaaaaaaaaa2` for 2. */
export function exampleId(number: number): VersionId {
  return `v${`${number}`.padStart(11, 'a')}` as VersionId;
}
