/**
 * Raises a signal in the built lxcv before the n-th call by which it changes something, for `node --require`:
 * `LXCV_TEST_SIGNAL="SIGINT 17"`. `LXCV_TEST_SIGNAL="count FILE"` raises none, and writes how many calls there were to a file.
 */

const fs = require('node:fs');
const { wrapCalls } = require('./system-calls.cjs');

const FILE_CALLS = [
  'appendFileSync',
  'chmodSync',
  'fchmodSync',
  'fsyncSync',
  'ftruncateSync',
  'lchownSync',
  'linkSync',
  'mkdirSync',
  'renameSync',
  'rmdirSync',
  'symlinkSync',
  'unlinkSync',
  'writeFileSync',
  'writeSync',
];
const SYSTEM_CALLS = ['bind', 'flock', 'lsetxattr', 'mknod', 'mount', 'renameat2', 'syncfs', 'utimensat'];

const [what = '', at = ''] = (process.env.LXCV_TEST_SIGNAL ?? '').split(' ');
let count = 0;

/** @type {(act: Function) => Function} */
const counted =
  (act) =>
  (/** @type {unknown[]} */ ...args) => {
    if (what !== 'count' && count === Number(at)) process.kill(process.pid, what);
    count += 1;
    return act(...args);
  };

wrapCalls(FILE_CALLS, SYSTEM_CALLS, counted);

if (what === 'count') process.on('exit', () => fs.appendFileSync(at, `${count}\n`));
