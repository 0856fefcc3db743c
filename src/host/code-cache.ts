/**
 * Programs as V8 compiled them before. Compiling takes most of the time of a command that does little, and Node 20 keeps
 * nothing of it: https://v8.dev/blog/code-caching.
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { geteuid } from 'node:process';
import { Script } from 'node:vm';

/**
 * Runs a CommonJS module. What V8 compiles of it is kept beside it when the process ends, and read back the next time;
 * where it cannot be kept or read, the module is compiled as ever.
 *
 * @param file a module of ASCII alone, whose directory only those may write to who may change the module.
 * @param use what it is run for, one of a few: another part of it is compiled for each.
 */
export function loadCompiled(file: string, use: string): { readonly exports: unknown; readonly isReadBack: boolean } {
  const build = keptOf(file);
  const kept = `${build}${use}`;
  const cachedData = readIfSafe(kept);
  const script = new Script(
    `(function(exports,require,module,__filename,__dirname){${readFileSync(file, 'latin1')}\n})`,
    { filename: file, cachedData },
  );
  const isReadBack = script.cachedDataRejected === false;
  // By then it holds all that this run had to compile. What V8 refuses may suit the next run: it was made under other flags.
  if (cachedData === undefined) process.on('exit', () => keep(file, build, kept, script));
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  return { exports: module.exports, isReadBack };
}

const STAGED = '.partial-';
/** Others may read it: they could as well compile the module. */
const MODE = 0o644;

/**
 * What the names begin with of all that is kept of a module as it is. V8 tells sources apart by their length alone, so they have the
 * moment since when the file is what it is.
 */
function keptOf(file: string): string {
  const { ctimeNs, ino } = statSync(file, { bigint: true });
  return `${file}.${process.version}-${process.arch}-${ino}-${ctimeNs}-`;
}

/** V8 runs what it reads back: it must be of those alone who may change the module, root or who runs it. */
function readIfSafe(file: string): Buffer | undefined {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const isSafe = isOwn(fstatSync(fd)) && isOwn(statSync(dirname(file)));
      return isSafe ? readFileSync(fd) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

const OTHERS_WRITE = 0o022;

function isOwn({ uid, mode }: Stats): boolean {
  return (uid === 0 || uid === geteuid?.()) && (mode & OTHERS_WRITE) === 0;
}

/** Whole or not at all, after a power cut too: V8 trusts what it reads back. */
function keep(module: string, build: string, file: string, script: Script): void {
  const staged = `${file}${STAGED}${process.pid}`;
  try {
    if (!isOwn(statSync(dirname(file)))) return;
    const fd = openSync(staged, 'wx', MODE);
    try {
      fchmodSync(fd, MODE);
      writeFileSync(fd, script.createCachedData());
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(staged, file);
    removeOthers(build, module);
  } catch {
    rmSync(staged, { force: true });
  }
}

/** What was kept of earlier builds of a module, and what was begun and never kept. Another version of Node keeps its own again. */
function removeOthers(build: string, module: string): void {
  const directory = dirname(module);
  const start = `${basename(module)}.v`;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const isKept = path.startsWith(build) && !name.includes(STAGED);
    if (name.startsWith(start) && !isKept) rmSync(path, { force: true });
  }
}
