import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Files, files, type Stat } from '../../src/host/files.js';
import { encodeManifest } from '../../src/model/manifest.js';
import type { Summary, Version, VersionId } from '../../src/model/version.js';
import { History } from '../../src/store/history.js';
import type { RepositoryLayout } from '../../src/store/layout.js';
import { longHistory } from '../support/long-history.js';
import { temporaryDirectory } from '../support/overlay.js';
import { exampleId } from '../support/version.js';

const COUNT = 100;
const IDS = Array.from({ length: COUNT }, (_, number) => exampleId(number)).reverse();

describe('the summaries of a long history', () => {
  it('are written once, and spare the manifests from then on', () => {
    using place = temporaryDirectory();
    const { layout, versions } = longHistory(place, COUNT, { message: 'Ünïcode, and a line\nfeed' });
    const expected = [...versions].reverse().map(summaryOf);
    expect(tell(History.read(files, layout))).toMatchObject(expected);
    expect(manifestsRead(layout)).toEqual([]);
    expect(tell(History.read(files, layout))).toEqual(expected);
  });

  it('are found in whatever order they are asked for, with all that they tell', () => {
    using place = temporaryDirectory();
    const { layout, versions } = longHistory(place, COUNT, { pause: 12 });
    History.read(files, layout).summaries(IDS);
    const order = [...IDS].sort((a, b) => (a.slice(-1) < b.slice(-1) ? -1 : 1));
    const expected = new Map(versions.map((version) => [version.id, summaryOf(version)]));
    expect(expected.get(IDS[0] as VersionId)?.pause).toBe(12);
    const readIfPresent: Files['readIfPresent'] = (path) => {
      expect(`${path}`).not.toMatch(/manifest\.json$/);
      return files.readIfPresent(path);
    };
    const told = tell(History.read({ ...files, readIfPresent }, layout), order);
    expect(told).toEqual(order.map((id) => expected.get(id)));
  });

  it('are not written for a short one', () => {
    using place = temporaryDirectory();
    const { layout, versions } = longHistory(place, 63);
    const told = tell(History.read(files, layout), IDS.slice(-63));
    expect(told).toEqual([...versions].reverse());
    expect(existsSync(layout.summaries)).toBe(false);
  });

  it.each<[string, (manifest: string, version: Version) => void]>([
    ['was touched', (manifest) => utimesSync(manifest, 1, 1)],
    ['is another file with the same bytes', (manifest) => replace(manifest, readFileSync(manifest))],
  ])('are not taken of a manifest that %s', (_, change) => {
    using place = temporaryDirectory();
    const { layout, versions } = longHistory(place, COUNT);
    History.read(files, layout).summaries(IDS);
    const { manifest } = layout.version(exampleId(7));
    change(manifest, versions[7] as Version);
    expect(manifestsRead(layout)).toEqual([manifest]);
  });

  it('do not hide that a manifest was changed, or is gone', () => {
    using place = temporaryDirectory();
    const { layout, versions } = longHistory(place, COUNT);
    expect([...History.read(files, layout).ids()].length).toBe(COUNT);
    History.read(files, layout).summaries(IDS);
    const { manifest } = layout.version(exampleId(7));
    const { size, mtimeNs } = files.stat(manifest) as Stat;
    chmodSync(manifest, 0o600);
    writeFileSync(manifest, encodeManifest({ ...(versions[7] as Version), message: 'version 8' }));
    files.setMtime(manifest, mtimeNs);
    expect(files.stat(manifest)).toMatchObject({ size, mtimeNs });
    const damaged = expect.objectContaining({ code: 'store-damaged' });
    expect(() => History.read(files, layout).summaries(IDS)).toThrow(damaged);
    rmSync(manifest);
    expect(() => History.read(files, layout).summaries(IDS)).toThrow(damaged);
  });

  it('do not stand for a manifest that went while they were written', () => {
    using place = temporaryDirectory();
    const { layout } = longHistory(place, COUNT);
    const { manifest } = layout.version(exampleId(7));
    const isIt = (name: unknown) => name === `${exampleId(7)}/manifest.json`;
    const stamps: Files['stamps'] = (directory, names) =>
      files.stamps(directory, names).map((stamp, index) => (isIt(names[index]) ? undefined : stamp));
    History.read({ ...files, stamps }, layout).summaries(IDS);
    rmSync(manifest);
    const damaged = expect.objectContaining({ code: 'store-damaged' });
    expect(() => History.read(files, layout).summaries(IDS)).toThrow(damaged);
  });

  it('count for nothing where the file is damaged, and are written again', () => {
    using place = temporaryDirectory();
    const { layout } = longHistory(place, COUNT);
    History.read(files, layout).summaries(IDS);
    const whole = readFileSync(layout.summaries);
    appendFileSync(layout.summaries, 'more\n');
    expect(manifestsRead(layout)).toHaveLength(COUNT);
    expect(readFileSync(layout.summaries)).toEqual(whole);
  });

  it('bring back the graph cache too', () => {
    using place = temporaryDirectory();
    const { layout } = longHistory(place, COUNT);
    History.read(files, layout).summaries(IDS);
    rmSync(layout.graph, { force: true });
    const history = History.read(files, layout);
    for (const id of IDS) history.parentsOf(id);
    history.summaries(IDS);
    expect(existsSync(layout.graph)).toBe(true);
  });
});

function tell(history: History, ids: readonly VersionId[] = IDS): Summary[] {
  return history.summaries(ids).map((make) => make());
}

function summaryOf({ id, number, parents, message, author, time, branch, changes, pause }: Version): Summary {
  return {
    ...{ id, number, parents: parents.map((parent) => ({ id: parent.id })), message, author, time, branch, changes },
    ...(pause === undefined ? {} : { pause }),
  };
}

/** Another file in its place, with the same times as far as they can be set. */
function replace(manifest: string, bytes: Buffer): void {
  rmSync(manifest);
  writeFileSync(manifest, bytes);
}

/** The manifests that summaries of all versions read. */
function manifestsRead(layout: RepositoryLayout): string[] {
  const read: string[] = [];
  const watched: Files = {
    ...files,
    readIfPresent: (path) => {
      if (`${path}`.endsWith('/manifest.json')) read.push(`${path}`);
      return files.readIfPresent(path);
    },
  };
  expect(History.read(watched, layout).summaries(IDS)).toHaveLength(COUNT);
  return read;
}
