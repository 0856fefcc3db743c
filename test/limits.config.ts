import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `npm run limits`: what takes minutes, and prints what it took. The suite does the same with less. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/limits/**/*.limit.ts'],
    pool: 'forks',
    maxWorkers: 1,
    allowOnly: false,
    disableConsoleIntercept: true,
    testTimeout: 3_600_000,
  },
});
