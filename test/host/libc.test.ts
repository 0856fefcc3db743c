import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { libc, loadKoffi, loadWhole } from '../../src/host/libc.js';

const { cache } = createRequire(import.meta.url);

it('loads the native part of koffi alone, and all of it where there is no such part', () => {
  expect(libc().errno()).toBeTypeOf('number');
  expect(loaded()).toEqual([expect.stringMatching(/\.node$/)]);
  expect(loadKoffi('no-such-machine').load('libc.so.6').func('int getppid()')()).toBe(process.ppid);
  expect(loaded().length).toBeGreaterThan(1);
});

it('says what to install where koffi does not load', () => {
  const load = () => createRequire(import.meta.url)('no-such-package');
  expect(() => loadWhole(load)).toThrow(
    expect.objectContaining({ code: 'failed', hint: expect.stringContaining('--include=optional') }),
  );
});

function loaded(): string[] {
  return Object.keys(cache).filter((path) => path.includes('koffi'));
}
