/** fsck for those who cannot wait in the way of a promise: disposal is synchronous. A thread does it, with the built lxcv. */

import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Finding } from '../../src/model/finding.js';

interface Answer {
  readonly findings?: readonly Finding[];
  readonly error?: unknown;
}

const done = new Int32Array(new SharedArrayBuffer(4));
let port: MessageChannel['port1'] | undefined;

/** What fsck finds in the store of an lxcpath. */
export function fsckNow(lxcpath: string): readonly Finding[] {
  port ??= startWorker();
  Atomics.store(done, 0, 0);
  port.postMessage(lxcpath);
  Atomics.wait(done, 0, 0);
  const { findings, error }: Answer = receiveMessageOnPort(port)?.message ?? {};
  if (findings === undefined) throw error;
  return findings;
}

function startWorker(): MessageChannel['port1'] {
  const { port1, port2 } = new MessageChannel();
  const workerData = { port: port2, done };
  const worker = new Worker(new URL('./fsck-worker.mjs', import.meta.url), {
    workerData,
    transferList: [port2],
    // The binding opens files that Node closes.
    trackUnmanagedFds: false,
  });
  worker.unref();
  port1.unref();
  return port1;
}
