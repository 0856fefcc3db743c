import { array, assert, constantFrom, property, subarray, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { walkLayer } from '../../src/layer/delta.js';
import { MergeCursor } from '../../src/layer/merge-cursor.js';
import type { BytePath } from '../../src/model/byte-path.js';
import { runRecursion } from '../../src/model/job.js';
import { type Place, PlaceReader, pathOf, placeIn, ROOT_PLACE } from '../../src/model/place.js';
import { temporaryDirectory } from '../support/overlay.js';
import { directory, plant } from '../support/plant.js';

const name = constantFrom('a', 'a!', 'a.b', 'ab', 'b', '\x01', '\xff');
const path = array(name, { maxLength: 4 }).map((names) => names.join('/') as BytePath);
const paths = uniqueArray(path, { maxLength: 30 }).map((all) => all.sort(compareInWalk));

/** As strings are compared, but for `/`, which comes before any byte of a name. */
function compareInWalk(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.replaceAll('/', '\0')) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Places of paths, which share what they can. */
function placesOf(all: readonly BytePath[]): Place[] {
  const places = new PlaceReader();
  return all.map((at) => places.readPath(at));
}

describe('InStep', () => {
  it('finds what a Map would, and takes no more of what is told than it needs', () => {
    const cases = paths.chain((all) => subarray(all).map((told) => ({ all, told })));
    assert(
      property(cases, ({ all, told }) => {
        const map = new Map(told.map((at, index) => [at, index]));
        let taken = 0;
        using step = new MergeCursor(
          (function* () {
            for (const [index, place] of placesOf(told).entries()) {
              taken += 1;
              yield [place, index] as const;
            }
          })(),
        );
        const asked = placesOf(all);
        for (const [index, at] of all.entries()) {
          const place = asked[index] as Place;
          expect(step.find(place)).toBe(map.get(at));
          expect(step.find(place)).toBe(map.get(at));
          expect(taken).toBeLessThanOrEqual(1 + told.filter((other) => compareInWalk(other, at) <= 0).length);
        }
      }),
    );
  });

  it('ends what is told when it is disposed', () => {
    const at = (name: string) => placeIn(ROOT_PLACE, name as BytePath);
    let isOpen = false;
    const told = function* (): Generator<readonly [Place, number]> {
      isOpen = true;
      try {
        yield [at('a'), 1];
        yield [at('b'), 2];
      } finally {
        isOpen = false;
      }
    };
    {
      using step = new MergeCursor(told());
      expect([step.find(at('a')), isOpen]).toEqual([1, true]);
    }
    expect(isOpen).toBe(false);
  });
});

describe('walkLayer', () => {
  it('tells parents first, and names in byte order', () => {
    using place = temporaryDirectory();
    const names = ['a', 'a!', 'a.b', 'ab', 'b', '\x01'];
    const tree = names.flatMap((first) => [...names.map((second) => `${first}/${second}/x`), `${first}/y/`]);
    const delta = plant(place.path, Object.fromEntries(tree.map((at) => [at, at.endsWith('/') ? directory : 'file'])));
    const walked = [...runRecursion(walkLayer(files, delta))].map((visit) => pathOf(visit.place));
    expect(walked.length).toBeGreaterThan(80);
    expect([...walked].sort(compareInWalk)).toEqual(walked);
    expect([...walked].sort()).not.toEqual(walked);
  });
});
