/** Stands in the way of a program: notes as what it is run, and runs it. */

import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DisposablePath, temporaryDirectory } from './overlay.js';

export interface Recorder extends Disposable {
  /** A PATH on which the program is found. */
  readonly path: string;
  /** How it was run last. */
  told(): Record<
    'uid' | 'effective' | 'bounding' | 'noNewPrivileges' | 'cpu' | 'memory' | 'file' | 'namespace',
    string
  >;
}

export function recorder(program: string): Recorder {
  const directory: DisposablePath = temporaryDirectory();
  const told = join(directory.path, 'told');
  const real = execFileSync('which', [program], { encoding: 'utf8' }).trim();
  const script = `#!/bin/sh\ncat /proc/$$/status /proc/$$/limits > ${told}; readlink /proc/$$/ns/mnt >> ${told}; exec ${real} "$@"\n`;
  writeFileSync(told, '');
  writeFileSync(join(directory.path, program), script);
  chmodSync(directory.path, 0o755);
  chmodSync(told, 0o666);
  chmodSync(join(directory.path, program), 0o755);
  const field = (text: string, expression: RegExp) => expression.exec(text)?.[1] ?? '';
  return {
    path: `${directory.path}:${process.env.PATH}`,
    told() {
      const text = readFileSync(told, 'utf8');
      return {
        uid: field(text, /^Uid:\t(\d+)\t\1\t\1\t\1$/m),
        effective: field(text, /^CapEff:\t(\w+)$/m),
        bounding: field(text, /^CapBnd:\t(\w+)$/m),
        noNewPrivileges: field(text, /^NoNewPrivs:\t(\d)$/m),
        cpu: field(text, /^Max cpu time +(\w+)/m),
        memory: field(text, /^Max address space +(\w+)/m),
        file: field(text, /^Max file size +(\w+)/m),
        namespace: text.trim().split('\n').at(-1) as string,
      };
    },
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
}
