import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SYS_GETDENTS64 } from '../../src/host/directories.js';
import { SYS_SETRESUID } from '../../src/host/inotify.js';
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

/** Where the headers of Linux have the numbers of its calls; each architecture of the last ten years has those of `asm-generic`. */
const HEADERS: Partial<Record<string, string>> = { x64: 'x86_64-linux-gnu/asm/unistd_64.h' };
const CALLS = { getdents64: SYS_GETDENTS64, setresuid: SYS_SETRESUID };

it.each(Object.entries(CALLS))('%s is called by the numbers of its headers', (name, numbers) => {
  for (const [arch, number] of Object.entries(numbers)) {
    const header = readFileSync(join('/usr/include', HEADERS[arch] ?? 'asm-generic/unistd.h'), 'latin1');
    const defined = new RegExp(`^#define __NR_${name}\\s+(\\d+)$`, 'm').exec(header)?.[1];
    expect(number, arch).toBe(Number(defined));
  }
});

function loaded(): string[] {
  return Object.keys(cache).filter((path) => path.includes('koffi'));
}
