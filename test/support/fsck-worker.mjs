/** A thread that runs fsck of the built lxcv for those who wait for it: see test/support/fsck.ts. */

import { workerData } from 'node:worker_threads';

// By a name that is worked out, so that nobody looks for the types of what is built.
const built = (/** @type {string} */ name) => import(new URL(`../../dist/src/${name}`, import.meta.url).href);
const { port, done } = workerData;

port.on('message', async (/** @type {string} */ lxcpath) => {
  try {
    const { openEngine } = await built('engine.js');
    const engine = await openEngine({ lxcpath });
    port.postMessage({ findings: await engine.fsck(undefined) });
  } catch (error) {
    port.postMessage({ error });
  }
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});
