#!/usr/bin/env node
/** The executable. It reads the program as V8 compiled it before, and for its version not even that. */

import { join } from 'node:path';
import { loadCompiled } from './host/compiled.js';
import { readPackage } from './host/package.js';

// Who reads may stop reading: `lxcv log mysql | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const args = process.argv.slice(2);
if (/^(--version|-V)$/.test(args.join(' '))) tellVersion();
else void loadProgram().main(args, import.meta.url);

function loadProgram(): typeof import('./program.js') {
  return loadCompiled(join(import.meta.dirname, 'program.cjs')).exports as typeof import('./program.js');
}

/** As oclif does. */
function tellVersion(): void {
  const { name, version } = readPackage(import.meta.url);
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
}
