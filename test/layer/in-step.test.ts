import { array, assert, constantFrom, property, subarray, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { files } from '../../src/host/files.js';
import { walkLayer } from '../../src/layer/delta.js';
import { InStep } from '../../src/layer/in-step.js';
import { type BytePath, compareInWalk } from '../../src/model/byte-path.js';
import { descend } from '../../src/model/job.js';
import { temporaryDirectory } from '../support/overlay.js';
import { directory, plant } from '../support/plant.js';

const name = constantFrom('a', 'a!', 'a.b', 'ab', 'b', '\x01', '\xff');
const path = array(name, { maxLength: 4 }).map((names) => names.join('/') as BytePath);
const paths = uniqueArray(path, { maxLength: 30 }).map((all) => all.sort(compareInWalk));

describe('InStep', () => {
  it('finds what a Map would, and takes no more of what is told than it needs', () => {
    const cases = paths.chain((all) => subarray(all).map((told) => ({ all, told })));
    assert(
      property(cases, ({ all, told }) => {
        const map = new Map(told.map((at, index) => [at, index]));
        let taken = 0;
        using step = new InStep(
          (function* () {
            for (const record of map) {
              taken += 1;
              yield record;
            }
          })(),
        );
        for (const at of all) {
          expect(step.find(at)).toBe(map.get(at));
          expect(step.find(at)).toBe(map.get(at));
          expect(taken).toBeLessThanOrEqual(1 + told.filter((other) => compareInWalk(other, at) <= 0).length);
        }
      }),
    );
  });

  it('ends what is told when it is disposed', () => {
    let isOpen = false;
    const told = function* (): Generator<readonly [BytePath, number]> {
      isOpen = true;
      try {
        yield ['a' as BytePath, 1];
        yield ['b' as BytePath, 2];
      } finally {
        isOpen = false;
      }
    };
    {
      using step = new InStep(told());
      expect([step.find('a' as BytePath), isOpen]).toEqual([1, true]);
    }
    expect(isOpen).toBe(false);
  });
});

describe('compareInWalk', () => {
  it('orders as a delta is walked', () => {
    using place = temporaryDirectory();
    const names = ['a', 'a!', 'a.b', 'ab', 'b', '\x01'];
    const tree = names.flatMap((first) => [...names.map((second) => `${first}/${second}/x`), `${first}/y/`]);
    const delta = plant(place.path, Object.fromEntries(tree.map((at) => [at, at.endsWith('/') ? directory : 'file'])));
    const walked = [...descend(walkLayer(files, delta))].map((visit) => visit.path);
    expect(walked.length).toBeGreaterThan(80);
    expect([...walked].sort(compareInWalk)).toEqual(walked);
    expect([...walked].sort()).not.toEqual(walked);
  });
});
