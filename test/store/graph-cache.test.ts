import { appendFileSync, chmodSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Files, files } from '../../src/host/files.js';
import { encodeManifest } from '../../src/model/manifest.js';
import type { Version } from '../../src/model/version.js';
import { readGraph, writeGraph } from '../../src/store/graph-cache.js';
import { History } from '../../src/store/history.js';
import type { RepositoryLayout } from '../../src/store/layout.js';
import { longHistory } from '../support/long-history.js';
import { temporaryDirectory } from '../support/overlay.js';
import { exampleId } from '../support/version.js';

const COUNT = 100;

describe('the graph cache', () => {
  it('spares the manifests of a long history, and gives the same history', () => {
    using place = temporaryDirectory();
    const { layout, versions } = longHistory(place, COUNT);
    remember(layout);
    const read: string[] = [];
    const history = History.read(watched(read), layout);
    expect([[...history.ids()].length, history.nextNumber]).toEqual([COUNT, COUNT]);
    for (const { id, number, parents } of versions) {
      expect([history.numberOf(id), history.parentsOf(id)]).toEqual([number, parents.map((parent) => parent.id)]);
    }
    expect(read).toEqual([layout.graph]);
    expect(history.findNumber(7)).toEqual(versions[7]);
    expect(history.get(exampleId(7))).toEqual(versions[7]);
    expect(history.asParent(exampleId(98))).toEqual(versions[99]?.parents[0]);
    expect(read).toEqual([layout.graph, layout.version(exampleId(7)).manifest, layout.version(exampleId(98)).manifest]);
  });

  it('is not written for a short history, and again for one that grew', () => {
    using place = temporaryDirectory();
    const { layout } = longHistory(place, 60);
    remember(layout);
    expect(existsSync(layout.graph)).toBe(false);
    longHistory(place, 70);
    remember(layout);
    expect(readGraph(files, layout.graph).size).toBe(70);
    longHistory(place, 133);
    remember(layout);
    expect([readGraph(files, layout.graph).size, [...History.read(files, layout).ids()].length]).toEqual([70, 133]);
    longHistory(place, 134);
    remember(layout);
    expect(readGraph(files, layout.graph).size).toBe(134);
  });

  it('says nothing of versions that came after it, nor holds on to those that went', () => {
    using place = temporaryDirectory();
    const { layout } = longHistory(place, COUNT);
    remember(layout);
    const { versions } = longHistory(place, COUNT + 1);
    rmSync(layout.version(exampleId(3)).root, { recursive: true });
    const history = History.read(files, layout);
    expect([...history.ids()].length).toBe(COUNT);
    expect(history.findNumber(COUNT)).toEqual(versions[COUNT]);
    expect(history.findNumber(3)).toBeUndefined();
    expect(history.parentsOf(exampleId(3))).toEqual([]);
    expect(() => history.numberOf(exampleId(3))).toThrow(expect.objectContaining({ code: 'store-damaged' }));
    expect(() => history.get(exampleId(3))).toThrow(expect.objectContaining({ code: 'store-damaged' }));
  });

  it.each<[string, (graph: string) => void]>([
    ['is cut short', (graph) => truncateSync(graph, 3000)],
    ['is empty', (graph) => truncateSync(graph, 0)],
    ['goes on behind its end', (graph) => appendFileSync(graph, 'more\n')],
    ['has another number in it', (graph) => writeFileSync(graph, readFileSync(graph, 'utf8').replace(' 7 ', ' 8 '))],
    [
      'is of another format',
      (graph) => writeFileSync(graph, readFileSync(graph, 'utf8').replace('graph 1', 'graph 2')),
    ],
  ])('counts for nothing where it %s', (_, damage) => {
    using place = temporaryDirectory();
    const { layout, versions } = longHistory(place, COUNT);
    remember(layout);
    expect(readGraph(files, layout.graph).size).toBe(COUNT);
    damage(layout.graph);
    expect(readGraph(files, layout.graph).size).toBe(0);
    const history = History.read(files, layout);
    expect(versions.map(({ id }) => history.get(id))).toEqual(versions);
    remember(layout);
    expect(readGraph(files, layout.graph).size).toBe(COUNT);
  });

  it('does not stand against a manifest: which of them is damaged is for somebody to say', () => {
    using place = temporaryDirectory();
    const { layout, versions } = longHistory(place, COUNT);
    remember(layout);
    const { manifest } = layout.version(exampleId(5));
    chmodSync(manifest, 0o600);
    writeFileSync(manifest, encodeManifest({ ...(versions[5] as Version), message: 'edited' }));
    expect(() => History.read(files, layout).get(exampleId(5))).toThrow(
      expect.objectContaining({ code: 'store-damaged', hint: expect.stringContaining(`remove ${layout.graph}`) }),
    );
    expect(History.read(files, layout).get(exampleId(6))).toEqual(versions[6]);
    truncateSync(manifest, 50);
    expect(() => History.read(files, layout).get(exampleId(5))).toThrow(/manifest.json is damaged/);
  });

  it('is done without on a store that cannot be written to, and in the face of what another one left', () => {
    using place = temporaryDirectory();
    const { layout } = longHistory(place, COUNT);
    const readOnly: typeof files = {
      ...files,
      create: () => {
        throw Object.assign(new Error('EROFS'), { code: 'EROFS' });
      },
    };
    expect([...History.read(readOnly, layout).ids()].length).toBe(COUNT);
    expect(existsSync(layout.graph)).toBe(false);
    writeFileSync(`${layout.graph}.partial`, 'half of it');
    writeGraph(files, layout.graph, []);
    expect([readGraph(files, layout.graph).size, existsSync(`${layout.graph}.partial`)]).toEqual([0, false]);
  });
});

/** Reads all of a history, which writes down what it had to read. */
function remember(layout: RepositoryLayout): void {
  expect([...History.read(files, layout).ids()].length).toBeGreaterThan(0);
}

/** The machine's files, which note what is read. */
function watched(read: string[]): Files {
  return {
    ...files,
    readIfPresent: (path) => {
      read.push(`${path}`);
      return files.readIfPresent(path);
    },
  };
}
