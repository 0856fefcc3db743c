import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine.js';
import { machine } from '../../src/host/host.js';
import { CHANGING } from '../support/changing-calls.mjs';
import { testEveryPoint } from '../support/every-point.js';
import { LOOKING } from '../support/faults.js';
import { temporaryLxc } from '../support/lxc.js';
import { OPERATIONS, READING } from '../support/operations.js';

describe('a fault at any change that an operation makes', () => {
  it('is tried for every operation that the engine has', async () => {
    using lxc = temporaryLxc();
    const verbs = Object.keys(await openEngine({ lxcpath: lxc.lxcpath }));
    const known = new Set<string>([...READING, ...Object.values(OPERATIONS).map((operation) => operation.verb)]);
    expect(verbs.filter((verb) => !known.has(verb))).toEqual([]);
  });

  it('can hit every call of the machine that changes something', () => {
    const known = new Set<string>([...CHANGING.files, ...LOOKING]);
    expect(Object.keys(machine.files).filter((name) => !known.has(name))).toEqual([]);
    const passive = [
      'defaultPath',
      'knownPaths',
      'state',
      'states',
      'holderOf',
      'holdStopped',
      'monitorOf',
      'watchFrozen',
      'tryLockDirectory',
      'runningUnder',
      'startedWith',
    ];
    expect(Object.keys(machine.lxc).filter((name) => ![...CHANGING.lxc, ...passive].includes(name))).toEqual([]);
  });

  // The others have files of their own, beside this one.
  testEveryPoint(Object.entries(OPERATIONS).filter(([, { verb }]) => verb !== 'commit' && verb !== 'checkout'));
});
