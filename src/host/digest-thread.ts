/** SHA-256 of files, taken by a second thread while this one does something else. */

import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { HostPath } from './libc.js';

/** What is begun is taken in the same order. */
export interface DigestThread extends Disposable {
  /** Begins with regular files that do not change, and that can be reached until their digests are taken. */
  begin(paths: readonly HostPath[]): void;
  /**
   * The digests, 64 hex digits each, of the files that were begun first; undefined where they are not there after the wait.
   * @throws what kept one of the files from being read, with its `code`, and as `index` which of them.
   */
  take(waitMs: number): readonly string[] | undefined;
}

/** What the thread tells of the files of one `begin`. */
type Answer =
  | { readonly digests: readonly string[] }
  | { readonly error: { message: string; code: string; index: number } };

export function startDigestThread(): DigestThread {
  const { port1: port, port2: otherEnd } = new MessageChannel();
  /** How many answers there are: to wait for the next does not need the event loop then. */
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(`(${digestAll})(require)`, {
    eval: true,
    workerData: { port: otherEnd, answered },
    transferList: [otherEnd],
  });
  let failure: unknown;
  worker.on('error', (error) => {
    failure = error;
  });
  worker.unref();
  let taken = 0;
  return {
    begin: (paths) => port.postMessage(paths),
    take(waitMs) {
      if (failure !== undefined) throw failure;
      Atomics.wait(answered, 0, taken, waitMs);
      const message = receiveMessageOnPort(port)?.message as Answer | undefined;
      if (message === undefined) return undefined;
      taken += 1;
      if ('error' in message) {
        const { message: said, code, index } = message.error;
        throw Object.assign(new Error(said), { code, index });
      }
      return message.digests;
    },
    [Symbol.dispose]: () => {
      port.close();
      void worker.terminate();
    },
  };
}

/** The thread. It is handed over as text, so it can name nothing that is outside of it. */
function digestAll(require: NodeJS.Require): void {
  const fs = require('node:fs') as typeof import('node:fs');
  const { createHash } = require('node:crypto') as typeof import('node:crypto');
  const { workerData } = require('node:worker_threads') as typeof import('node:worker_threads');
  const { port, answered } = workerData as { port: import('node:worker_threads').MessagePort; answered: Int32Array };
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
  const buffer = Buffer.allocUnsafe(1 << 20);

  const digest = (path: HostPath): string => {
    const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const hash = createHash('sha256');
      const { size } = fs.fstatSync(fd);
      for (let position = 0; position < size; ) {
        const read = fs.readSync(fd, buffer, 0, buffer.length, position);
        if (read === 0) break;
        hash.update(buffer.subarray(0, read));
        position += read;
      }
      return hash.digest('hex');
    } finally {
      fs.closeSync(fd);
    }
  };
  const answer = (paths: HostPath[]) => {
    const digests: string[] = [];
    try {
      for (const path of paths) digests.push(digest(typeof path === 'string' ? path : Buffer.from(path)));
      return { digests };
    } catch (error) {
      // An error that is handed over loses its code.
      const { message, code } = error as NodeJS.ErrnoException;
      return { error: { message, code, index: digests.length } };
    }
  };

  port.on('message', (paths: HostPath[]) => {
    port.postMessage(answer(paths));
    Atomics.add(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
}
