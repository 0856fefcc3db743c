import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machine } from '../../src/host/host.js';
import { encodeDraft } from '../../src/model/manifest.js';
import type { ContainerName, Layer, RepositoryName } from '../../src/model/version.js';
import type { Context } from '../../src/plumbing/context.js';
import { layersToRead } from '../../src/plumbing/layers.js';
import { headIdOf, type Repository } from '../../src/plumbing/lookup.js';
import type { Versioned } from '../../src/store/containers.js';
import { RepositoryLayout } from '../../src/store/layout.js';
import type { Operation } from '../../src/store/operation-log.js';
import { touchedBy } from '../../src/store/unfinished.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { exampleDraft, exampleId } from '../support/version.js';

const [PARENT, HEAD, NEXT] = [exampleId(0), exampleId(1), exampleId(2)];
const KEYFRAME = `versions/${HEAD}/keyframe-1` as Layer;
const DELTAS = [`versions/${HEAD}/delta`, `versions/${PARENT}/delta`] as Layer[];

describe('while the commit of HEAD waits for its last steps', () => {
  it('HEAD is the version before it', () => {
    using place = new Place();
    const head = (known: string[]) => headIdOf(place.context, place.repositoryWith(known), place.versioned);
    expect(head([PARENT, HEAD])).toBe(HEAD);
    // Lost, and not on its way.
    expect(head([PARENT])).toBe(HEAD);
    const draft = { ...exampleDraft(1), parents: [{ id: PARENT, digest: `sha256:${'0'.repeat(64)}` }] };
    writeFileSync(place.layout.version(HEAD).stagedManifest, encodeDraft(draft));
    expect(head([PARENT])).toBe(PARENT);
    expect(head([PARENT, HEAD])).toBe(HEAD);
  });

  it('what is mounted is read, as long as the keyframe is not there that is to stand for it', () => {
    using place = new Place();
    const read = (mounted: Layer[] | undefined) => {
      const { working, ...rest } = place.versioned;
      const layers = layersToRead(place.context, {
        ...rest,
        working: mounted === undefined ? working : { ...working, mounted },
      });
      return layers.map((path) => path.slice(place.layout.root.length + 1));
    };
    const delta = `versions/${NEXT}/delta`;
    expect(read(DELTAS)).toEqual([delta, ...DELTAS]);
    // Then it is lost.
    expect(read(undefined)).toEqual([delta, KEYFRAME]);
    mkdirSync(place.layout.layer(KEYFRAME));
    expect(read(DELTAS)).toEqual([delta, KEYFRAME]);
  });

  it('what its steps have yet to change is not judged, nor what they make on the way, nor the directories of its versions', () => {
    const { root } = new RepositoryLayout('/lxcv', 'web' as RepositoryName);
    const operation: Operation = {
      ...{ operation: 'one', state: 'begin', time: '', command: 'commit', subject: 'web' },
      point: { from: '/lxc/web/.config.lxcv', to: '/lxc/web/config', exchange: true },
      forward: [
        {
          ...{ do: 'publish', draft: `${root}/versions/${HEAD}/manifest.staged` },
          ...{ manifest: `${root}/versions/${HEAD}/manifest.json`, before: [], after: [`${root}/${DELTAS[1]}`] },
          keyframe: { path: `${root}/versions/${HEAD}/keyframe-1`, of: [], below: [], instead: [] },
        },
        { do: 'ref', path: `${root}/refs/heads/web`, id: HEAD },
        { do: 'thaw', lxcpath: '/lxc', container: 'web' as ContainerName },
      ],
      back: [{ do: 'rmdir', path: `${root}/versions/${NEXT}/delta` }],
    };
    const touched = touchedBy(operation);
    expect(touched).toEqual(
      expect.arrayContaining([
        '/lxc/web/.config.lxcv',
        '/lxc/web/.config.lxcv-edited',
        '/lxc/web/config',
        `${root}/versions/${HEAD}`,
        `${root}/versions/${HEAD}/keyframe-1`,
        `${root}/versions/${HEAD}/.lxcv-staged`,
        `${root}/versions/${NEXT}`,
        `${root}/refs/heads/web`,
        `${root}/refs/heads/.lxcv-staged`,
      ]),
    );
    // All else is: other versions, other branches, other containers.
    expect(touched.filter((path) => [root, '/lxc', '/lxc/web', `${root}/refs/heads`].includes(path))).toEqual([]);
    expect(touched.join()).not.toContain(PARENT);
  });
});

class Place implements Disposable {
  private readonly directory: DisposablePath = temporaryDirectory();
  readonly layout = new RepositoryLayout(join(this.directory.path, 'lxcv'), 'web' as RepositoryName);
  readonly context = {
    host: machine,
    lxcpath: join(this.directory.path, 'lxc'),
    report: () => {},
  } as unknown as Context;
  readonly versioned: Versioned = {
    repository: this.layout,
    layout: this.layout.version(NEXT),
    working: { container: 'web' as ContainerName, branch: null, parents: [HEAD], lowers: [KEYFRAME], bases: [] },
  };

  constructor() {
    for (const layer of DELTAS) mkdirSync(this.layout.layer(layer), { recursive: true, mode: 0o700 });
    mkdirSync(this.versioned.layout.delta, { recursive: true });
  }

  repositoryWith(known: readonly string[]): Repository {
    return { layout: this.layout, history: { has: (id: string) => known.includes(id) } } as unknown as Repository;
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }
}
