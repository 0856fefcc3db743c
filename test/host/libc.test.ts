import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { libc, loadKoffi } from '../../src/host/libc.js';

const { cache } = createRequire(import.meta.url);

it('loads the native part of koffi alone, and all of it where there is no such part', () => {
  expect(libc().errno()).toBeTypeOf('number');
  expect(loaded()).toEqual([expect.stringMatching(/\.node$/)]);
  expect(loadKoffi('no-such-machine').load('libc.so.6').func('int getppid()')()).toBe(process.ppid);
  expect(loaded().length).toBeGreaterThan(1);
});

function loaded(): string[] {
  return Object.keys(cache).filter((path) => path.includes('koffi'));
}
