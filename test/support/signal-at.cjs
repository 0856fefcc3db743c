/**
 * Raises a signal in the built lxcv before the n-th call by which it changes something, for `node --require`:
 * `LXCV_TEST_SIGNAL="SIGINT 17"`, or before the first that names a path: `"SIGKILL /entries"`. `LXCV_TEST_SIGNAL="count FILE"` raises
 * none, and writes how many calls there were to a file. `LXCV_TEST_SIGNAL="SIGINT frozen"` raises it at the first call while a
 * container stands still, at the latest at that which has it go on, and `LXCV_TEST_SIGNAL="500 frozen"` has it stand still for so many milliseconds more.
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
/** Since the freezer was written to, and until it is again. */
let isFrozen = false;

/** @param {readonly unknown[]} args */
const isThere = (args) => (/^\d/.test(at) ? count === Number(at) : args.some((arg) => `${arg}`.includes(at)));

/** @type {(act: Function, name: string) => Function} */
const counted =
  (act, name) =>
  (/** @type {unknown[]} */ ...args) => {
    if (isFrozen && at === 'frozen' && (what.startsWith('SIG') || !name.startsWith('write'))) actFrozen();
    if (what !== 'count' && at !== 'frozen' && isThere(args)) process.kill(process.pid, what);
    count += 1;
    if (/\/(freezer\.state|cgroup\.freeze)$/.test(String(args[0]))) isFrozen = /FROZEN|1/.test(String(args[1]));
    return act(...args);
  };

function actFrozen() {
  isFrozen = false;
  if (what.startsWith('SIG')) process.kill(process.pid, what);
  else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(what));
}

wrapCalls(FILE_CALLS, SYSTEM_CALLS, counted);

if (what === 'count') process.on('exit', () => fs.appendFileSync(at, `${count}\n`));
