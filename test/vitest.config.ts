import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// The workers have it from here. See test/support/seed.ts.
if (process.env.LXCV_SEED === undefined) {
  process.env.LXCV_SEED = `${Date.now() % 1_000_000}`;
  console.log(`LXCV_SEED=${process.env.LXCV_SEED}`);
}

/** After this a test hangs. None has to be done by a certain time: see test/support/until.ts. */
const HANGS_MS = 3_600_000;

/** What takes minutes, so that no worker is left alone with it in the end. */
const LONG = /faults|mariadb|storm|refusals|power-loss/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [true, false].flatMap((long) => sorted.filter(({ moduleId }) => LONG.test(moduleId) === long));
  }
}

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    allowOnly: false,
    // @oclif/test sees no output that vitest has caught before it.
    disableConsoleIntercept: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          testTimeout: HANGS_MS,
          hookTimeout: HANGS_MS,
        },
      },
      {
        extends: true,
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: HANGS_MS, hookTimeout: HANGS_MS },
      },
    ],
  },
});
