import { setFlagsFromString } from 'node:v8';
import { expect, it, vi } from 'vitest';
import { spareMemory } from '../../src/host/heap.js';

vi.mock('node:v8', async (original) => ({ ...(await original<object>()), setFlagsFromString: vi.fn() }));

it('sets what V8 goes by once, and puts it back before what was compiled is kept', async () => {
  const keep = vi.fn(() => expect(setFlagsFromString).toHaveBeenLastCalledWith('--heap-growing-percent=0'));
  process.on('exit', keep);
  const before = process.listeners('exit');
  await Promise.all([spareMemory(), spareMemory()]);
  expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([['--heap-growing-percent=10']]);
  const listeners = process.listeners('exit');
  expect(listeners).toHaveLength(before.length + 1);
  (listeners[0] as () => void)();
  keep();
  process.removeListener('exit', keep);
  process.removeListener('exit', listeners[0] as () => void);
});
