/**
 * Makes of the sources what runs, in `dist`: the program, and the modules that oclif asks for its help. Types are checked
 * by tsc. In the program, what takes long to load, and is for some commands alone, is loaded at its first use.
 */

import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';

/** Modules of Node's that take a millisecond or more to load. */
const LATE = ['node:child_process', 'node:crypto', 'node:worker_threads'];

/** Stands for a module until something of it is asked for, and then for what `load` gives. */
const LAZILY = `function lazily(load) {
  let loaded;
  const it = () => (loaded ??= load());
  return new Proxy({}, {
    get: (_, name) => it()[name],
    has: (_, name) => name in it(),
    ownKeys: () => Reflect.ownKeys(it()),
    getOwnPropertyDescriptor: (_, name) => ({ ...Reflect.getOwnPropertyDescriptor(it(), name), configurable: true }),
  });
}
const atOnce = require;
require = Object.assign((name) => ${JSON.stringify(LATE)}.includes(name) ? lazily(() => atOnce(name)) : atOnce(name), atOnce);
const moduleUrl = require('node:url').pathToFileURL(__filename).href;`;

/** oclif's own modules, as tsc made them, load all of oclif whatever a command uses. */
const lateOclif = {
  name: 'late-oclif',
  /** @param {import('esbuild').PluginBuild} plugin */
  setup({ onLoad }) {
    onLoad({ filter: /@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(
        /^const (\w+) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm,
        'const $1 = lazily(() => $2);',
      ),
    }));
  },
};

/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  bundle: true,
  outdir: 'dist',
  outbase: '.',
  platform: 'node',
  target: 'node20',
  external: ['koffi', 'typescript'],
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};

await build({
  ...COMMON,
  entryPoints: ['src/main.ts', 'src/program.ts'],
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'moduleUrl', 'import.meta.dirname': '__dirname' },
  banner: { js: LAZILY },
  plugins: [lateOclif],
});
await build({
  ...COMMON,
  entryPoints: ['engine', 'host/compiled', 'host/host', 'host/lxc', 'host/signals']
    .map((module) => `src/${module}.ts`)
    .concat('commands/*.ts'),
  format: 'esm',
  splitting: true,
  chunkNames: 'chunks/[hash]',
  banner: {
    js: 'import { createRequire as bundleRequire } from "node:module"; const require = bundleRequire(import.meta.url);',
  },
});
