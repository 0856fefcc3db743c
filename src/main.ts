#!/usr/bin/env node
/** The executable. It reads the program as V8 compiled it before, and for its version not even that. */

import { join } from 'node:path';
import { COMMAND_NAMES } from './cli/command-names.js';
import { loadCompiled } from './host/code-cache.js';
import { OUTPUT_HINT, outputReason, writeOutput } from './host/output.js';
import { readPackage } from './host/package.js';

const args = process.argv.slice(2);
if (/^(--version|-V)$/.test(args.join(' '))) void tellVersion();
else void loadProgram().main(args, import.meta.url);

function loadProgram(): typeof import('./program.js') {
  const command = COMMAND_NAMES.find((name) => name === args[0]) ?? 'other';
  return loadCompiled(join(import.meta.dirname, 'program.cjs'), command).exports as typeof import('./program.js');
}

/** As oclif does. */
async function tellVersion(): Promise<void> {
  const { name, version } = readPackage(import.meta.url);
  try {
    const text = `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`;
    await writeOutput(1, Buffer.from(text));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return;
    process.exitCode = 1;
    const message = `lxcv: ${outputReason(error as NodeJS.ErrnoException)}\n      ${OUTPUT_HINT}\n`;
    await writeOutput(2, Buffer.from(message)).catch(() => {});
  }
}
