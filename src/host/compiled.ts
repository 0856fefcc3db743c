/**
 * Programs as V8 compiled them before. Compiling takes most of the time of a command that does little, and Node 20 keeps
 * nothing of it: https://v8.dev/blog/code-caching.
 */

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

/**
 * Runs a CommonJS module. What V8 compiles of it is kept beside it when the process ends, and read back the next time;
 * where it cannot be kept or read, the module is compiled as ever.
 *
 * @param file a module of ASCII alone, whose directory only those may write to who may change the module.
 */
export function loadCompiled(file: string): { readonly exports: unknown; readonly isReadBack: boolean } {
  const kept = keptAs(file);
  const cachedData = readIfThere(kept);
  const script = new Script(
    `(function(exports,require,module,__filename,__dirname){${readFileSync(file, 'latin1')}\n})`,
    {
      filename: file,
      ...(cachedData === undefined ? {} : { cachedData }),
    },
  );
  const isReadBack = script.cachedDataRejected === false;
  // By then it holds all that this run had to compile. What V8 refuses may suit the next run: it was made under other flags.
  if (cachedData === undefined) process.on('exit', () => keep(kept, script));
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  return { exports: module.exports, isReadBack };
}

/** V8 tells sources apart by their length alone, so the name has the moment since when the file is what it is. */
function keptAs(file: string): string {
  const { ctimeNs, ino } = statSync(file, { bigint: true });
  return `${file}.${process.version}-${process.arch}-${ino}-${ctimeNs}`;
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Whole or not at all, after a power cut too: V8 trusts what it reads back. */
function keep(file: string, script: Script): void {
  const staged = `${file}.${process.pid}`;
  try {
    const fd = openSync(staged, 'wx');
    try {
      writeFileSync(fd, script.createCachedData());
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(staged, file);
  } catch {
    rmSync(staged, { force: true });
  }
}
