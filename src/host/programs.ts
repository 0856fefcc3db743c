/** Other programs, run without a shell. */

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
}

/** What lxcv asks of other programs. */
export interface Programs {
  /**
   * Runs a program to its end, in the C locale, without standard input. What it prints is collected, but for the output
   * of one that is told to `inherit` lxcv's own.
   */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<ProgramResult>;
}

export const programs: Programs = {
  async run(program, args, options = {}) {
    const { execa } = await import('execa');
    const result = await execa(program, args, {
      reject: false,
      stdin: 'ignore',
      stdout: options.stdout ?? 'pipe',
      env: { LC_ALL: 'C', ...options.env },
    });
    return {
      exitCode: result.exitCode,
      stdout: result.stdout ?? '',
      stderr: result.stderr ?? '',
      missing: result.code === 'ENOENT',
    };
  },
};
