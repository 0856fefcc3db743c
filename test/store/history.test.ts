import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { digestManifest, encodeManifest } from '../../src/model/manifest.js';
import type { RepositoryName, Version } from '../../src/model/version.js';
import { History } from '../../src/store/history.js';
import { RepositoryLayout } from '../../src/store/layout.js';
import { type DisposablePath, temporaryDirectory } from '../support/overlay.js';
import { directory, plant } from '../support/plant.js';
import { exampleId, exampleVersion } from '../support/version.js';

describe('History.read', () => {
  it('reads every version that has a manifest, and nothing else', () => {
    using place = temporaryDirectory();
    const layout = repository(place, [exampleVersion(0), exampleVersion(1), exampleVersion(5)]);
    plant(layout.versions, {
      [`${exampleId(9)}/working.json`]: '{}',
      [`${exampleId(8)}/manifest.staged`]: 'staged',
      '.hidden/manifest.json': 'no version',
      'Not-An-Id/manifest.json': 'no version',
      file: '',
      [exampleId(7)]: '',
    });
    const history = History.read(files, layout);
    expect([...history.ids()].length).toBe(3);
    expect([...history.ids()].sort()).toEqual([0, 1, 5].map(exampleId).sort());
    expect(history.get(exampleId(5))).toEqual(exampleVersion(5));
    expect(history.findNumber(1)).toEqual(exampleVersion(1));
    expect(history.findNumber(2)).toBeUndefined();
    expect(history.nextNumber).toBe(6);
  });

  it('is empty for a repository without versions', () => {
    using place = temporaryDirectory();
    const layout = new RepositoryLayout(place.path, 'mysql' as RepositoryName);
    expect([[...History.read(files, layout).ids()].length, History.read(files, layout).nextNumber]).toEqual([0, 0]);
    mkdirSync(layout.versions, { recursive: true });
    expect([...History.read(files, layout).ids()].length).toBe(0);
  });

  it.each<[string, string, string | Version]>([
    ['is cut short', 'store-damaged', encodeManifest(exampleVersion(1)).toString().slice(0, -9)],
    ['is empty', 'store-damaged', ''],
    ['is that of another version', 'store-damaged', exampleVersion(2)],
    ['has a key that nobody knows', 'store-damaged', edited('"number"', '"extra": 1, "number"')],
    ['has a newer format', 'store-newer', edited('"format": 1', '"format": 2')],
  ])('names a manifest that %s: %s', (_, code, content) => {
    using place = temporaryDirectory();
    const layout = repository(place, [exampleVersion(0)]);
    const { manifest } = layout.version(exampleId(1));
    mkdirSync(dirname(manifest));
    writeFileSync(manifest, typeof content === 'string' ? content : encodeManifest(content));
    const expected = expect.objectContaining({ code, exitCode: 5, message: expect.stringContaining(manifest) });
    const history = History.read(files, layout);
    expect(() => history.get(exampleId(1))).toThrow(expected);
    expect(history.get(exampleId(0)).number).toBe(0);
    expect([history.size, history.nextNumber]).toEqual([2, 2]);
    expect([...history.ids()]).toEqual([exampleId(0)]);
    expect([...history.unreadable]).toEqual([[exampleId(1), expected]]);
    expect(() => history.get(exampleId(1))).toThrow(expected);
  });
});

describe('a history', () => {
  it('knows the parents of each version, and how a child names it', () => {
    using place = temporaryDirectory();
    const root = exampleVersion(0);
    const parent = { id: root.id, digest: digestManifest(encodeManifest(root)) };
    const history = History.read(files, repository(place, [root, exampleVersion(1, { parents: [parent] })]));
    expect(history.parentsOf(exampleId(1))).toEqual([root.id]);
    expect(history.parentsOf(root.id)).toEqual([]);
    expect(history.parentsOf(exampleId(4))).toEqual([]);
    expect(history.asParent(root.id)).toEqual(parent);
  });

  it('finds versions by the beginning of their ids', () => {
    using place = temporaryDirectory();
    const history = History.read(files, repository(place, [exampleVersion(1), exampleVersion(12), exampleVersion(3)]));
    const find = (prefix: string) => history.findPrefix(prefix).map(history.numberOf).sort();
    expect(find('v')).toEqual([1, 12, 3]);
    expect(find(exampleId(12).slice(0, -1))).toEqual([12]);
    expect(find(exampleId(1))).toEqual([1]);
    expect(find('w')).toEqual([]);
  });

  it('calls the store damaged where something names a version that is not there', () => {
    using place = temporaryDirectory();
    const history = History.read(files, repository(place, [exampleVersion(0)]));
    for (const ask of [() => history.get(exampleId(4)), () => history.asParent(exampleId(4))]) {
      expect(ask).toThrow(
        expect.objectContaining({ code: 'store-damaged', message: expect.stringContaining(exampleId(4)) }),
      );
    }
    expect(history.get(exampleId(0))).toEqual(exampleVersion(0));
  });
});

/** A repository with the manifests of these versions. */
function repository(place: DisposablePath, versions: readonly Version[]): RepositoryLayout {
  const layout = new RepositoryLayout(place.path, 'mysql' as RepositoryName);
  for (const version of versions) {
    const { root, manifest } = layout.version(version.id);
    plant(root, { delta: directory });
    writeFileSync(manifest, encodeManifest(version));
  }
  return layout;
}

function edited(what: string, by: string): string {
  return encodeManifest(exampleVersion(1)).toString().replace(what, by);
}
