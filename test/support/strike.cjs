/**
 * Has something happen to the machine while the built lxcv is at work, for `node --require`: `LXCV_TEST_STRIKE` is a line of sh(1)
 * that is run once, when the calls of `LXCV_TEST_CALLS` have been made in their order, whatever came between. Of a call on one file
 * alone it has the end of the path too, after a colon.
 */

const { spawnSync } = require('node:child_process');
const { wrapCalls } = require('./system-calls.cjs');

const ahead = (process.env.LXCV_TEST_CALLS ?? '').split(' ');

wrapCalls(['fsyncSync', 'unlinkSync'], ['renameat2'], (act, name) => (/** @type {unknown[]} */ ...args) => {
  const result = act(...args);
  const [wanted, end = ''] = ahead[0]?.split(':') ?? [];
  if (wanted !== name || !String(args[0]).endsWith(end)) return result;
  ahead.shift();
  if (ahead.length === 0) spawnSync('sh', ['-c', process.env.LXCV_TEST_STRIKE ?? ''], { stdio: 'inherit' });
  return result;
});
