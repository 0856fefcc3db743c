import { expect, it } from 'vitest';
import { raiseOpenFiles } from '../../src/host/open-files.js';

it('the limit of open files is raised, never lowered, and above that of the kernel with that', () => {
  expect(raiseOpenFiles(500, 1 << 20, true)).toBe('prlimit --pid $$ --nofile=65536');
  expect(raiseOpenFiles(100_000, 1 << 20, true)).toBe('prlimit --pid $$ --nofile=400000');
  expect(raiseOpenFiles(1 << 20, 1 << 20, true)).toBe('sysctl fs.nr_open=4194304 && prlimit --pid $$ --nofile=4194304');
  expect(raiseOpenFiles(500, 1 << 20, false)).toBe(
    'from outside (LimitNOFILE=65536 of a unit), for root has no CAP_SYS_RESOURCE here',
  );
});
