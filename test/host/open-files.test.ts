import { expect, it } from 'vitest';
import { raiseOpenFiles } from '../../src/host/open-files.js';

it('the limit of open files is raised, never lowered, and above that of the kernel with that', () => {
  expect(raiseOpenFiles(500, 1 << 20)).toBe('prlimit --pid $$ --nofile=65536');
  expect(raiseOpenFiles(100_000, 1 << 20)).toBe('prlimit --pid $$ --nofile=400000');
  expect(raiseOpenFiles(1 << 20, 1 << 20)).toBe('sysctl fs.nr_open=4194304 && prlimit --pid $$ --nofile=4194304');
});
