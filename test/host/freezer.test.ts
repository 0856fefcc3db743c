import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { watchFrozen } from '../../src/host/freezer.js';
import { temporaryDirectory } from '../support/overlay.js';

/** Says how it goes to watch a freezer when this user watches as much as one may: there are limits of instances and of watches. */
const EXHAUST = `
import { watchFrozen, watchWrites } from './freezer.mjs';
const [control, what] = process.argv.slice(2);
try {
  for (let count = 0; what === 'all' && count < 1e6; count += 1) watchWrites(control);
} catch (error) { console.log(error.code) }
try {
  watchFrozen({ control, freeze: '', thaw: '', state: control, frozen: 'FROZEN' });
  console.log('watched');
} catch ({ code, message, hint }) { console.log([code, message, hint].join('\\n')) }`;
const source = (name: string) => fileURLToPath(new URL(`../../src/host/${name}.ts`, import.meta.url));

describe('a watch of a freezer', () => {
  it('tells of each write to its control file, whatever that changed', () => {
    using room = temporaryDirectory();
    const control = join(room.path, 'control');
    writeFileSync(control, 'FROZEN\n');
    const freezer = { control, freeze: 'FROZEN\n', thaw: 'THAWED\n', state: control, frozen: 'FROZEN' };
    using watch = watchFrozen(freezer);
    expect(watch.look()).toBe('frozen');
    writeFileSync(control, freezer.thaw, { flag: 'r+' });
    writeFileSync(control, freezer.freeze, { flag: 'r+' });
    expect(watch.look()).toBe('refrozen');
    expect(watch.look()).toBe('refrozen');
    writeFileSync(control, freezer.thaw, { flag: 'r+' });
    expect(watch.look()).toBe('thawed');
  });

  it('is refused where no more may be watched, and says what limits that', () => {
    using room = temporaryDirectory();
    const [module, script, control] = ['freezer.mjs', 'script.mjs', 'control'].map((name) => join(room.path, name));
    const contents = `export * from ${JSON.stringify(source('freezer'))}; export * from ${JSON.stringify(source('inotify'))};`;
    const options = { format: 'esm', platform: 'node', target: 'node20' } as const;
    buildSync({
      external: ['koffi'],
      stdin: { contents, resolveDir: room.path },
      bundle: true,
      outfile: module as string,
      ...options,
    });
    writeFileSync(script as string, EXHAUST);
    writeFileSync(control as string, 'FROZEN\n');
    // A user of nobody's: what root may watch is left alone.
    const user = ['--reuid', `${randomInt(2 ** 30, 2 ** 31)}`, '--clear-groups'];
    const reads = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
    const run = (what: string) => {
      const words = [...user, ...reads, process.execPath, script as string, control as string, what];
      const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
      const { stdout, stderr } = spawnSync('setpriv', words, {
        encoding: 'utf8',
        env: { ...process.env, NODE_PATH: modules },
      });
      return stdout + stderr;
    };
    expect(run('none')).toBe('watched\n');
    expect(run('all')).toMatchInlineSnapshot(`
      "EMFILE
      failed
      root watches as many files as it may (fs.inotify.max_user_instances), and what thaws a container for a moment would go unseen
      Allow more: sysctl fs.inotify.max_user_instances=$((2 * $(sysctl -n fs.inotify.max_user_instances)))
      "
    `);
  });
});
