/**
 * Makes of the sources what runs, in `dist`: the program, and the modules that oclif asks for its help. Types are checked
 * by tsc. In the program, what takes long to load, and is for some commands alone, is loaded at its first use.
 */

import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';

const { engines } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));

/** Modules of Node's that take a millisecond or more to load. */
const LATE = ['node:child_process', 'node:crypto', 'node:net', 'node:stream', 'node:worker_threads'];

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
require = Object.assign((name) => ${JSON.stringify(LATE)}.includes(name) ? lazily(() => atOnce(name)) : atOnce(name), atOnce);`;
const MODULE_URL = "const moduleUrl = require('url').pathToFileURL(__filename).href;";

/** The first thing that the executable does. */
const REFUSAL = `var found = process.versions.node;
if (parseInt(found, 10) < ${Number.parseInt(engines.node.replace(/\D*/, ''), 10)}) {
  process.stderr.write('lxcv: Node ${engines.node.replace(/\D*/, '')} or later is needed, and this is Node ' + found +
    '\\n      Install a newer one, or run lxcv by it: /PATH/TO/node ' + __filename + '\\n');
  process.exit(1);
}`;

/** So many imports of oclif's modules are made late. Another release of oclif, or another module of it that lxcv uses, has another number. */
const LATE_IMPORTS = 217;

let lateImports = 0;

/** oclif's own modules, as tsc made them, load all of oclif whatever a command uses. */
const lateOclif = {
  name: 'late-oclif',
  /** @param {import('esbuild').PluginBuild} plugin */
  setup({ onLoad, onEnd }) {
    onLoad({ filter: /@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(
        /^const (\w+) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm,
        (_, name, load) => {
          lateImports += 1;
          return `const ${name} = lazily(() => ${load});`;
        },
      ),
    }));
    onEnd(() => {
      if (lateImports === LATE_IMPORTS) return;
      const text =
        `${lateImports} imports of oclif's are late, and not ${LATE_IMPORTS}. See whether its modules still import each other in the form that ` +
        'src/bundle.mjs looks for, and whether lxcv starts as fast as before (docs/decisions/0015-bundle.md); then write that number there.';
      return { errors: [{ text }] };
    });
  },
};

/** Packages that few commands use: files of their own, so that the others need not read them. */
const ASIDE = ['execa', 'simple-git'];

const aside = {
  name: 'aside',
  /** @param {import('esbuild').PluginBuild} plugin */
  setup({ onLoad, onResolve }) {
    onResolve({ filter: new RegExp(`^(${ASIDE.join('|')})$`) }, ({ path }) => ({ path, namespace: 'aside' }));
    onLoad({ filter: /.*/, namespace: 'aside' }, ({ path }) => ({
      contents: `const { loadCompiled } = require('./code-cache.ts');
        module.exports = lazily(() => loadCompiled(__dirname + '/${path}.cjs', 'all').exports);`,
      resolveDir: 'src/host',
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

const COMMON_JS = {
  format: /** @type {const} */ ('cjs'),
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'moduleUrl', 'import.meta.dirname': '__dirname' },
};

await build({
  ...COMMON,
  ...COMMON_JS,
  entryPoints: ['src/program.ts'],
  banner: { js: `${LAZILY}\n${MODULE_URL}` },
  plugins: [lateOclif, aside],
});
await build({
  ...COMMON,
  ...COMMON_JS,
  entryPoints: ASIDE.map((name) => ({ in: name, out: `src/${name}` })),
  banner: { js: MODULE_URL },
});
// In a language that a Node of long ago can read, so that it can be told that it is too old.
await build({
  ...COMMON,
  ...COMMON_JS,
  entryPoints: ['src/main.ts'],
  target: 'node10',
  banner: { js: `${REFUSAL}\n${MODULE_URL}` },
});
await build({
  ...COMMON,
  entryPoints: ['engine', 'host/code-cache', 'host/host', 'host/lxc', 'host/signals']
    .map((module) => `src/${module}.ts`)
    .concat('commands/*.ts'),
  format: 'esm',
  splitting: true,
  chunkNames: 'chunks/[hash]',
  banner: {
    js: 'import { createRequire as bundleRequire } from "node:module"; const require = bundleRequire(import.meta.url);',
  },
});
