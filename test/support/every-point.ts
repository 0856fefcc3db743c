/** Tries every point at which an operation can go wrong. */

import { afterAll, expect, it } from 'vitest';
import type { Fault } from './faults.js';
import { differences, makePlace, naming, type Operation } from './struck.js';

const ERRNOS = ['EIO', 'ENOSPC', 'EROFS', 'EMFILE'];

/** Makes a test of each operation. The number of points is printed when all of a file's are over. */
export function testEveryPoint(operations: readonly (readonly [string, Operation])[]): void {
  let tried = 0;
  afterAll(() => console.log(`faults: tried ${tried} points in ${operations.length} operations`));

  it.each(operations)('leaves the old or the new when %s', async (name, operation) => {
    using place = await makePlace(operation);
    const whole = await place.strike({ kind: 'none' }, -1);
    expect(whole.error).toBeUndefined();
    const states = [place.before, whole.sight];
    const refs = place.refs();

    for (const [at, call] of whole.calls.entries()) {
      if (operation.only?.test(call) === false) continue;
      for (const fault of faultsAt(at, call)) {
        const point = `${name}: ${JSON.stringify(fault)} at ${at} of ${whole.calls.length}, ${call}`;
        await naming(point, async () => {
          const { calls, sight } = await place.strike(fault, at);
          expect(calls.slice(0, at + 1)).toEqual(whole.calls.slice(0, at + 1));
          expect(differences(sight, states)).toEqual([]);
          await place.boot();
          await place.expectWhole(refs);
        });
        tried += 1;
      }
      const point = `${name}: SIGKILL at ${at} of ${whole.calls.length}, ${call}`;
      await naming(point, async () => {
        expect(differences(await place.kill(at), states)).toEqual([]);
        await place.boot();
        await place.expectWhole(refs);
      });
      tried += 1;
    }
  });
}

function faultsAt(at: number, call: string): Fault[] {
  const faults: Fault[] = [{ kind: 'death' }, { kind: 'errno', code: ERRNOS[at % ERRNOS.length] as string }];
  return /^(create|append) /.test(call) ? [...faults, { kind: 'cut-short' }] : faults;
}
