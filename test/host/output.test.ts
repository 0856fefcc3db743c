import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/overlay.js';

const WRITES = 30;
const BYTES = 1 << 18;

it('what a pipe takes only bit by bit is written whole, and nothing is left behind by each write', () => {
  using room = temporaryDirectory();
  const [module, script] = ['output.mjs', 'script.mjs'].map((name) => join(room.path, name)) as [string, string];
  const entry = new URL('../../src/host/output.ts', import.meta.url).pathname;
  buildSync({ entryPoints: [entry], outfile: module, format: 'esm', platform: 'node', target: 'node20' });
  // To look at it is what makes it a pipe that does not block.
  writeFileSync(
    script,
    `import { writeOutput } from ${JSON.stringify(module)};
    const before = process.stdout.listenerCount('error');
    for (let write = 0; write < ${WRITES}; write += 1) await writeOutput(1, Buffer.alloc(${BYTES}, 'x'));
    console.error(process.stdout.listenerCount('error') - before);`,
  );
  const { stdout, stderr } = spawnSync('sh', ['-c', '"$0" "$1" | cat', process.execPath, script], {
    maxBuffer: 2 * WRITES * BYTES,
    encoding: 'utf8',
  });
  expect(stderr).toBe('0\n');
  expect(stdout.length).toBe(WRITES * BYTES);
});
