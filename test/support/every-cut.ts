/** Cuts the power at every point of an operation, on the model of test/support/power-loss.ts. */

import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { mountMemory } from './disk.js';
import type { Fault } from './faults.js';
import type { DisposablePath } from './overlay.js';
import { CUTS, type Cut } from './power-loss.js';
import { randomFor } from './seed.js';
import { differences, makePlace, naming, type Operation, type Place, type Sight } from './struck.js';

/** So many of the points are tried where not all of them are: one in ten. */
const ONE_IN = 10;

/** How an operation comes to its end, and to one that the power cut finds. */
interface Course {
  readonly what: string;
  readonly fault: Fault;
  /** The call that goes wrong. */
  readonly at: number;
  /** True where the commit point was passed: a cut may leave what is new, also where that is undone then. */
  readonly isEither?: true;
}

/**
 * Makes a test of each operation. A tenth of the points is tried, chosen by the seed of the run; all of them with
 * LXCV_EXHAUSTIVE. What is most telling is tried each time: the moment before each sync, with names that are on the disk
 * and contents that are not.
 */
export function testEveryCut(operations: readonly (readonly [string, Operation])[]): void {
  let tried = 0;
  let memory: DisposablePath;
  // What is durable is for the model to say, and a real sync would only take time.
  beforeAll(() => {
    memory = mountMemory();
    vi.stubEnv('LXCV_TEST_DIR', memory.path);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    memory[Symbol.dispose]();
    console.log(`power cuts: tried ${tried} points in ${operations.length} operations`);
  });

  it.each(operations)('leaves the old or the new when %s', async (name, operation) => {
    using place = await makePlace(operation);
    const { calls, error, sight } = await place.watch({ kind: 'none' }, -1);
    expect(error).toBeUndefined();
    const done = { sight, refs: place.refs() };
    for (const course of coursesOf(calls)) tried += await cutEverywhere(place, name, course, done);
  });
}

/** The whole of it, and what is taken back or carried on: where the commit point or the look behind it fails, and where lxcv dies before and after it. */
function coursesOf(calls: readonly string[]): Course[] {
  const whole: Course = { what: 'all goes well', fault: { kind: 'none' }, at: -1 };
  const sync = calls.findIndex((call) => /^syncFileSystem\S* .*\/operations$/.test(call));
  if (sync < 0) return [whole];
  return [
    whole,
    { what: 'the commit point fails', fault: { kind: 'errno', code: 'EIO' }, at: sync + 1 },
    {
      what: 'the look behind the commit point fails',
      fault: { kind: 'errno', code: 'EIO' },
      at: sync + 3,
      isEither: true,
    },
    { what: 'lxcv dies before the commit point', fault: { kind: 'death' }, at: sync + 1 },
    { what: 'lxcv dies after the commit point', fault: { kind: 'death' }, at: sync + 2 },
  ];
}

/** @returns at how many points. */
async function cutEverywhere(
  place: Place,
  name: string,
  { what, fault, at, isEither }: Course,
  done: { readonly sight: Sight; readonly refs: readonly string[] },
): Promise<number> {
  const { power, sight, reported } = await place.watch(fault, at);
  const refs = isEither ? done.refs : place.refs();
  const states = [place.before, sight, ...(isEither ? [done.sight] : [])];
  const random = randomFor(`power cuts: ${name}, ${what}`);
  const seen = new Set<string>();
  for (let point = 1; point <= power.calls.length; point += 1) {
    const isOver = point === power.calls.length;
    for (const cut of Object.keys(CUTS) as Cut[]) {
      const isTelling = cut === 'names' && (isOver || /^sync/.test(power.calls[point] as string));
      const isChosen = random.below(ONE_IN) === 0;
      const kept = power.choose(point, cut, random);
      const key = [...kept].join();
      if (!isTelling && !isChosen && process.env.LXCV_EXHAUSTIVE === undefined) continue;
      if (seen.has(key) && !isOver) continue;
      seen.add(key);
      const where = isOver ? 'after all' : `at ${point} of ${power.calls.length}, before ${power.calls[point]}`;
      await naming(`${name}, ${what}: a power cut ${where} that leaves ${CUTS[cut]}`, async () => {
        power.restore(kept);
        expect(differences(place.look(), isOver && !isEither ? [sight] : states)).toEqual([]);
        await place.expectWhole(refs);
        if (isOver) expect(place.versionIds()).toEqual(expect.arrayContaining([...reported]));
      });
    }
  }
  return seen.size;
}
