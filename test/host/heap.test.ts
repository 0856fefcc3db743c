import v8 from 'node:v8';
import { expect, it, vi } from 'vitest';
import { reduceMemory } from '../../src/host/heap.js';

it('sets what V8 goes by once, and puts it back before what was compiled is kept', () => {
  const set = vi.spyOn(v8, 'setFlagsFromString').mockImplementation(() => undefined);
  const keep = vi.fn(() =>
    expect(set.mock.calls.slice(2)).toEqual([['--heap-growing-percent=0'], ['--semi-space-growth-factor=2']]),
  );
  process.on('exit', keep);
  const before = process.listeners('exit');
  reduceMemory();
  reduceMemory();
  expect(set.mock.calls).toEqual([['--heap-growing-percent=10'], ['--semi-space-growth-factor=1']]);
  const listeners = process.listeners('exit');
  expect(listeners).toHaveLength(before.length + 1);
  (listeners[0] as () => void)();
  keep();
  process.removeListener('exit', keep);
  process.removeListener('exit', listeners[0] as () => void);
});
