/** `lxcv grep -P PATTERN`: -P is the lxcpath here, and GNU grep's flag for Perl's syntax. */

import { resolve } from 'node:path';
import { machine } from '../host/host.js';
import { LxcvError } from '../model/errors.js';
import { quoteForShell } from './paste.js';

/** An error of a command line in which -P stands before a pattern, with the line that was meant; any other as it is. @param operands those of `argv`. */
export function explainPerlPattern(error: unknown, argv: readonly string[], operands: readonly string[]): unknown {
  const isOfLine = error instanceof LxcvError && ['bad-usage', 'lxcpath-not-found'].includes(error.code);
  const given = argv.flatMap((arg, at) =>
    arg === '-P' ? [argv[at + 1] ?? ''] : (/^-P(.+)/s.exec(arg)?.slice(1) ?? []),
  );
  const isDirectory = (path: string) => machine.files.statTarget(resolve(path))?.type === 'directory';
  const pattern = given.find((path) => path !== '' && !isDirectory(path));
  if (!isOfLine || pattern === undefined) return error;
  const lxcpath = given.filter(isDirectory).flatMap((path) => ['-P', path]);
  const line = ['lxcv', 'grep', ...lxcpath, '--perl', pattern, ...operands].map(quoteForShell).join(' ');
  // What is no usage line would get the lxcpath that was given: the pattern.
  const usage = lxcpath.length > 0 ? line : `Usage: ${line}`;
  return new LxcvError('bad-usage', error.message, `-P is the lxcpath; Perl's syntax is --perl alone. ${usage}`);
}
