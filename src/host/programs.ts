/** Other programs, run without a shell. */

import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { collectConfined, startConfined } from './confined.js';
import { isSystemError } from './files.js';
import { O_TMPFILE } from './nameless.js';

interface ProgramResult {
  /** undefined where the program could not be run, or was ended by a signal. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** True where there is no such program. */
  readonly missing: boolean;
}

interface RunOptions {
  readonly stdout?: 'inherit';
  /** Added to lxcv's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the program when it aborts. */
  readonly abort?: AbortSignal | undefined;
  /** In a session of its own: what the terminal sends to lxcv, as on Ctrl-C, does not reach it, and it outlives lxcv. */
  readonly detached?: true;
}

interface LeftProgram extends Pick<ProgramResult, 'exitCode'> {
  /** What ended it, where that was a signal. */
  readonly signal: string | undefined;
  /** Why it could not be run: it, or what it names as its interpreter, is not there, say. */
  readonly failure: Error | undefined;
  /** The end of what it printed, as output and as errors. */
  readonly said: string;
}

/** What lxcv asks of other programs. */
export interface Programs {
  /**
   * Runs a program to its end, in the C locale, without standard input. What it prints is collected, but for the output
   * of one that is told to `inherit` lxcv's own. Throws the system's error where one that is there cannot be started.
   */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<ProgramResult>;
  /** Runs one that reads a container's bytes: see host/confined.ts. */
  startConfined: typeof startConfined;
  collectConfined: typeof collectConfined;
  /** Runs a program until it ends, whatever it leaves running behind it. */
  runAndLeave(program: string, env: Readonly<Record<string, string>>): Promise<LeftProgram>;
}

const SAID_MAX_BYTES = 1 << 14;

function readEnd(file: number): string {
  const { size } = fstatSync(file);
  const bytes = Buffer.alloc(Math.min(size, SAID_MAX_BYTES));
  return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, size - bytes.length)).toString('utf8');
}

export const programs: Programs = {
  startConfined,
  collectConfined,

  async run(program, args, options = {}) {
    const { execa } = await import('execa');
    const result = await execa(program, args, {
      reject: false,
      stdin: 'ignore',
      stdout: options.stdout ?? 'pipe',
      env: { LC_ALL: 'C', ...options.env },
      detached: options.detached ?? false,
      ...(options.abort === undefined ? {} : { cancelSignal: options.abort }),
    });
    // It could not be started, for want of memory or of file descriptors, say.
    if (result.code !== 'ENOENT' && isSystemError(result.cause)) throw result.cause;
    return {
      exitCode: result.exitCode,
      stdout: result.stdout ?? '',
      stderr: result.stderr ?? '',
      missing: result.code === 'ENOENT',
    };
  },

  async runAndLeave(program, env) {
    const said = openSync(tmpdir(), O_TMPFILE | constants.O_RDWR, 0o600);
    try {
      const child = spawn(program, [], {
        stdio: ['ignore', said, said],
        env: { ...process.env, LC_ALL: 'C', ...env },
      });
      const end = await new Promise<Omit<LeftProgram, 'said'>>((resolve) => {
        child.once('exit', (code, signal) =>
          resolve({ exitCode: code ?? undefined, signal: signal ?? undefined, failure: undefined }),
        );
        child.once('error', (failure) => resolve({ exitCode: undefined, signal: undefined, failure }));
      });
      return { ...end, said: readEnd(said) };
    } finally {
      closeSync(said);
    }
  },
};
