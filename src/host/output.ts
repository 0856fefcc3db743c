/**
 * Standard output and standard error, as the system takes them. Node's own streams lose the rest of a write that a full disk took
 * in part, and what a pipe has not taken when the process ends; and their errors come when nobody waits for them.
 */

import { fstatSync, writeSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';

export type OutputDescriptor = 1 | 2;

const NOTHING = new Uint8Array(0);

/** True for a terminal. Node's streams are asked of what may be one alone: they would make a pipe non-blocking for all who share it. */
export function isTerminal(descriptor: OutputDescriptor): boolean {
  return fstatSync(descriptor).isCharacterDevice() && streamOf(descriptor).isTTY === true;
}

/** When this is over the system has all of the bytes. Throws its errors: ENOSPC, EPIPE, EIO, EBADF and others. */
export async function writeOutput(descriptor: OutputDescriptor, bytes: Uint8Array): Promise<void> {
  const rest = writeWhatFits(descriptor, bytes);
  if (rest.length === 0) return;
  const stream = streamOf(descriptor);
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject);
    stream.write(rest, (error) => {
      if (error) return reject(error);
      stream.off('error', reject);
      resolve();
    });
  });
}

/** What kept it from being written, in the system's words. */
export function outputReason(error: NodeJS.ErrnoException): string {
  return `standard output could not be written: ${getSystemErrorMap().get(error.errno ?? 0)?.[1] ?? error.message}`;
}

/** What to do then. */
export const OUTPUT_HINT = 'Send it to where there is room.';

/** @returns what a non-blocking pipe or terminal did not take at once. */
function writeWhatFits(descriptor: OutputDescriptor, bytes: Uint8Array): Uint8Array {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return bytes.subarray(at);
      throw error;
    }
  }
  return NOTHING;
}

function streamOf(descriptor: OutputDescriptor): NodeJS.WriteStream {
  return descriptor === 1 ? process.stdout : process.stderr;
}
