/** Where commands write to: what cannot be written to standard output ends a command, what cannot be to standard error does not. */

import { isErrno } from '../host/files.js';
import { isTerminal, OUTPUT_HINT, outputReason, writeOutput } from '../host/output.js';
import { LxcvError } from '../model/errors.js';
import type { ReportStream } from './report.js';

/** Thrown where who reads has stopped reading, as in `lxcv log mysql | head`: nobody needs to be told. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

class StandardOutput {
  private begun = false;

  /** True once something was written, be it in part: then no JSON can follow. */
  get hasBegun(): boolean {
    return this.begun;
  }

  /** When this is over the system has all of it. @throws ReaderGone; LxcvError `output-failed`. */
  async write(text: string | Uint8Array): Promise<void> {
    if (text.length === 0) return;
    this.begun = true;
    try {
      await writeOutput(1, typeof text === 'string' ? Buffer.from(text) : text);
    } catch (error) {
      if (isErrno(error, 'EPIPE')) throw new ReaderGone();
      throw new LxcvError('output-failed', outputReason(error as NodeJS.ErrnoException), OUTPUT_HINT, { cause: error });
    }
  }
}

export const standardOutput = new StandardOutput();

class StandardError implements ReportStream {
  private waiting = 0;
  private last: Promise<void> = Promise.resolve();

  get isTTY(): boolean {
    return isTerminal(2);
  }

  get columns(): number {
    return process.stderr.columns;
  }

  /** At once, where it takes that. Nobody could be told that it failed, and it is no reason to end what is under way. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    const written = this.waiting === 0 ? writeOutput(2, bytes) : this.last.then(() => writeOutput(2, bytes));
    this.waiting += 1;
    const settled = () => {
      this.waiting -= 1;
    };
    this.last = written.then(settled, settled);
  }

  /** Over when all of it was written, or has failed. */
  async written(): Promise<void> {
    await this.last;
  }
}

export const standardError = new StandardError();
