/** Runs one operation of the built lxcv, and is killed at the n-th call that changes something: `node kill-at.mjs LXCPATH N VERB ARGS`. */

import { intercept } from './changing-calls.mjs';

// By a name that is worked out, so that nobody looks for the types of what is built.
const built = (/** @type {string} */ name) => import(new URL(`../../dist/src/${name}`, import.meta.url).href);
const { openEngine } = await built('engine.js');
const { machine } = await built('host/host.js');

const [lxcpath = '', at = '', verb = '', args = ''] = process.argv.slice(2);
let count = 0;

const host = intercept(machine, (_name, _args, act) => {
  if (count === Number(at)) process.kill(process.pid, 'SIGKILL');
  count += 1;
  return act();
});
const engine = await openEngine({ lxcpath, host });
await engine[verb](...JSON.parse(args));
