#!/usr/bin/env node
/** The executable. What it does not need it does not load: oclif takes longer than the rest of a short command. */

import { readPackage } from '../host/package.js';
import { endAsSignalled } from '../host/signals.js';

// Who reads may stop reading: `lxcv log mysql | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const args = process.argv.slice(2);
if (/^(--version|-V)$/.test(args.join(' '))) tellVersion();
else await (await import('./run.js')).runCommand(args, import.meta.url);

endAsSignalled();

/** As oclif does. */
function tellVersion(): void {
  const { name, version } = readPackage(import.meta.url);
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
}
