/**
 * Which way imports may point: down, from the commands to the model. Imports of types alone count too.
 * `npx depcruise --config test/dependency-cruiser.cjs src commands` shows what test/architecture.test.ts asserts.
 */

/** From the top; each may import itself and all that follow. */
const FLOORS = [
  'src/program.ts',
  'commands',
  'src/cli',
  'src/engine.ts',
  'src/operations',
  'src/plumbing',
  'src/store',
  'src/layer',
  'src/host',
  'src/model',
];
/** Beside the floors: values to text, for the face alone. */
const RENDER = 'src/render';
/** No part of the program: it makes it. */
const BUILD = 'src/bundle.mjs';

const MACHINE_MODULES =
  'fs|child_process|cluster|dgram|dns|http|http2|https|inspector|module|net|os|tls|vm|worker_threads';
const MACHINE_PACKAGES = 'execa|koffi|simple-git';

/** @param {...string} floors */
const within = (...floors) => `^(${floors.join('|').replaceAll('.', '\\.')})(/|$)`;

/** @param {string} names */
const coreModule = (names) => `^(node:)?(${names})(/|$)`;

/** @param {string} names */
const npmPackage = (names) => `(^|node_modules/)(${names})(/|$)`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...FLOORS.slice(1).map((floor, index) => ({
      name: `${floor} imports nothing above it`,
      severity: /** @type {const} */ ('error'),
      from: { path: within(floor) },
      to: { path: within(...FLOORS.slice(0, index + 1)) },
    })),
    {
      name: 'src/render imports only the model',
      severity: 'error',
      from: { path: within(RENDER) },
      to: { path: '^(src|commands)/', pathNot: within(RENDER, 'src/model') },
    },
    {
      name: 'only commands and src/cli import src/render',
      severity: 'error',
      from: { pathNot: within('commands', 'src/cli', RENDER) },
      to: { path: within(RENDER) },
    },
    {
      name: 'only src/host touches the machine',
      severity: 'error',
      from: { path: '^(src|commands)/', pathNot: within('src/host', BUILD) },
      to: { path: [coreModule(MACHINE_MODULES), npmPackage(MACHINE_PACKAGES)] },
    },
    {
      name: 'only commands and src/cli import oclif',
      severity: 'error',
      from: { path: '^src/', pathNot: within('src/cli') },
      to: { path: npmPackage('@oclif/core') },
    },
    {
      name: 'only src/render draws tables',
      severity: 'error',
      from: { path: '^(src|commands)/', pathNot: within(RENDER) },
      to: { path: npmPackage('cli-table3') },
    },
    {
      name: 'src/model takes from Node what computes',
      severity: 'error',
      from: { path: within('src/model') },
      to: { dependencyTypes: ['core'], pathNot: coreModule('buffer|crypto|path|util') },
    },
    {
      name: 'every module stands on a floor',
      severity: 'error',
      from: {},
      to: { path: '^(src|commands)/', pathNot: within(...FLOORS, RENDER) },
    },
    {
      name: 'no import goes in a circle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every import leads somewhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
